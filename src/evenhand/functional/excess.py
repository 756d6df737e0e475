"""Tests of whether some rows are misclassified more often than the rest of their class."""

from __future__ import annotations

import numpy as np
from scipy.stats import hypergeom

from evenhand._typing import Floats


def excess_errors(errors: int, n: int, all_errors: int, all_n: int) -> float:
    """Return the p-value of Fisher's one-sided exact test of a part against the rest of its class.

        p = P(E ≥ errors)

    E is hypergeometric: the number of misclassified rows among n rows drawn from a class of all_n rows, of
    which all_errors are misclassified.

    Parameters
    ----------
    errors, n : int
        Misclassified rows and rows of the part.
    all_errors, all_n : int
        Misclassified rows and rows of the whole class, the part included.

    Returns
    -------
    float
        p, above 0 and at most 1.

    References
    ----------
    R. A. Fisher, The Logic of Inductive Inference, Journal of the Royal Statistical Society 98 (1935) 39–82.

    Examples
    --------
    >>> round(excess_errors(errors=3, n=3, all_errors=3, all_n=6), 4)  # 1 of 20 ways to draw 3 of 6
    0.05
    """
    return float(hypergeom.sf(errors - 1, all_n, all_errors, n))


def holm(p: Floats) -> Floats:
    """Return Holm's adjusted p-values.

        adjusted p_(i) = max over j ≤ i of min(1, (M − j + 1) p_(j)),  p_(1) ≤ … ≤ p_(M)

    Rejecting when the adjusted value is at most α keeps the chance of any false rejection at α or less,
    whatever the dependence between the tests.

    Parameters
    ----------
    p : float [M]
        p-values.

    Returns
    -------
    float64 [M]
        In the order of `p`.

    References
    ----------
    S. Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6
    (1979) 65–70.

    Examples
    --------
    >>> import numpy as np
    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1.0, (len(p) - np.arange(len(p))) * p[order])
    corrected = np.empty(len(p))
    corrected[order] = np.maximum.accumulate(steps)
    return corrected
