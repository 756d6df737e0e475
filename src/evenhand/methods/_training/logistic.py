"""Logistic regression on embeddings, with coefficients and an intercept for every class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from sklearn.linear_model import LogisticRegression

from evenhand._typing import Floats, Ints
from evenhand.methods._training.folds import with_validation
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem

GRID = tuple(float(c) for c in np.logspace(-3, 3, 7))
"""Inverse penalties C that a probe tries."""

ClassWeight = Literal["balanced"] | None


def logistic(z: Floats, y: Ints, C: float, class_weight: ClassWeight = None) -> tuple[Floats, Floats]:
    """Minimise C Σ_i w_i · cross-entropy_i + ½‖V‖² over coefficients V and intercepts d by L-BFGS.

    Intercepts bear no penalty. The weight w_i is 1, or N / (C_y · n_{y_i}) where classes are balanced. Of two
    classes one vector v is fitted and penalised, and its halves −v/2 and v/2 are returned.

    Parameters
    ----------
    z : float [N, D]
        Embeddings.
    y : int64 [N]
        Codes 0 … C_y − 1, each with a row.
    C : float
        Inverse penalty, positive.
    class_weight : "balanced" or None
        Whether classes count alike whatever their numbers of rows.

    Returns
    -------
    coefficients, intercepts : float [C_y, D], float [C_y]
    """
    fit = LogisticRegression(C=C, class_weight=class_weight, max_iter=1000).fit(z, y)
    coefficients, intercepts = fit.coef_, fit.intercept_
    if len(coefficients) > 1:
        return coefficients, intercepts
    return np.vstack([-coefficients, coefficients]) / 2, np.concatenate([-intercepts, intercepts]) / 2


def fit_on_grid(
    problem: Problem,
    grid: Sequence[float],
    *,
    class_weight: ClassWeight,
    score: tuple[str, Callable[[Ints, Ints], float]],
) -> tuple[Model, list[dict[str, float]]]:
    """Fit one probe per C on training z and keep the one of the highest validation score.

    Ties go to the value that comes first. Without validation rows a fifth of training is held out.

    Parameters
    ----------
    problem : Problem
        Rows.
    grid : sequence of float
        Inverse penalties.
    class_weight : "balanced" or None
        As in `logistic`.
    score : (str, callable)
        Name, and function from true and predicted codes [M] to a number.

    Returns
    -------
    model : Model
    tried : list of dict
        Each C with its score.
    """
    name, rate = score
    problem = with_validation(problem)
    z, y = problem.start.embed_all(problem.h).numpy(), problem.y.numpy()
    z_val, y_val = problem.start.embed_all(problem.h_val).numpy(), problem.y_val.numpy()
    probes = [logistic(z, y, c, class_weight) for c in grid]
    scores = [rate(y_val, (z_val @ v.T + d).argmax(axis=1)) for v, d in probes]
    tried = [{"C": c, name: value} for c, value in zip(grid, scores, strict=True)]
    return Model.of_probe(problem, *probes[int(np.argmax(scores))]), tried
