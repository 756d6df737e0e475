"""Logistic regression on embeddings, with coefficients and an intercept for every class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from sklearn.linear_model import LogisticRegression

from evenhand._typing import Floats, Ints

ClassWeight: TypeAlias = Mapping[Any, float] | Literal["balanced"] | None


def logistic(z: Floats, y: Ints, C: float, class_weight: ClassWeight = None) -> tuple[Floats, Floats]:
    """Minimize C Σ_i w_i · cross-entropy_i + ½ ‖V‖² over coefficients V and intercepts d by L-BFGS.

    The intercepts are not penalized. The weight w_i is 1, or N / (number of classes · rows of class y_i) with
    balanced weights. With two classes, one vector v is fitted and penalized, and the returned rows are its
    halves −v/2 and v/2.

    Parameters
    ----------
    z : float [N, D]
        Embeddings.
    y : int64 [N]
        Class codes 0 … K − 1; every class has a row.
    C : float
        Inverse of the L2 penalty, above 0.
    class_weight : "balanced", mapping of codes to weights, or None, default=None
        "balanced" gives every class the same total weight.

    Returns
    -------
    coefficients, intercepts : float [K, D], float [K]
    """
    fit = LogisticRegression(C=C, class_weight=class_weight, max_iter=1000).fit(z, y)
    coefficients, intercepts = fit.coef_, fit.intercept_
    if len(coefficients) > 1:
        return coefficients, intercepts
    return np.vstack([-coefficients, coefficients]) / 2, np.concatenate([-intercepts, intercepts]) / 2
