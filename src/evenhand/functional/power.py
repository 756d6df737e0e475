"""How large a gap between error rates a test set can show, and how many rows a gap needs."""

from __future__ import annotations

import numpy as np
from scipy.stats import beta, binom

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints

LEVEL = 0.05
"""One-sided level of the test."""
POWER = 0.8
"""Probability with which the gap should be found."""


def detectable_gap(
    n: int | Ints,
    error: float,
    others: float | Ints = np.inf,
    level: float = LEVEL,
    power: float = POWER,
) -> Floats:
    """Return the smallest gap that n rows show, as a one-sided binomial test finds it.

        m = n · others / (n + others), rounded down
        k = min {k : P(Bin(m, error) ≥ k) ≤ level}
        gap = q − error,  P(Bin(m, q) ≥ k) = power

    The rate that the rows are compared with is itself measured, on `others` rows. That has the same effect
    as having only m of the n rows.

    Parameters
    ----------
    n : int or int array
        Rows of the group.
    error : float
        Error rate that it is compared with.
    others : float or int array, default=inf
        Rows that `error` was measured on; infinite if it is known.
    level : float, default=0.05
        One-sided level; divide it by the number of groups that are tested.
    power : float, default=0.8
        Probability with which the gap is found.

    Returns
    -------
    float64, of the shape of `n`
        Gap of the error rates, between 0 and 1 − error; nan if even an error rate of 1 is not found.

    Raises
    ------
    EvenhandError
        If `error`, `level` or `power` is not between 0 and 1.

    References
    ----------
    J. L. Fleiss, B. Levin, M. C. Paik, Statistical Methods for Rates and Proportions, 3rd ed. (2003), ch. 4.

    Examples
    --------
    >>> [round(float(detectable_gap(n, error=0.1)), 2) for n in (30, 120, 1000)]
    [0.19, 0.08, 0.03]
    """
    for name, share in (("error", error), ("level", level), ("power", power)):
        if not 0 <= share <= 1:
            raise EvenhandError(f"{name}: {share:g} is not a share; give a number from 0 to 1")
    m = np.floor(n / (1 + np.divide(n, others)))
    k = np.asarray(binom.isf(level, m, error) + 1)
    found = k <= m
    q = beta.ppf(power, np.where(found, k, 1), np.where(found, m - k + 1, 1))
    gap: Floats = np.where(found, q - error, np.nan)
    return gap


def rows_for_gap(gap: float, error: float, level: float = LEVEL, power: float = POWER) -> int:
    """Return how many rows a group needs for a gap to be found, compared with as many others.

    Parameters
    ----------
    gap : float
        Gap of the error rates, above 0.
    error : float
        Error rate that the group is compared with.
    level : float, default=0.05
        One-sided level of the test, as in `detectable_gap`.
    power : float, default=0.8
        Probability with which the gap is found.

    Returns
    -------
    int
        The smallest n whose `detectable_gap(n, error, others=n)` is at most `gap`.

    Raises
    ------
    EvenhandError
        If no number of rows shows it: the gap is not above 0, or no rate is that far above `error`.

    Examples
    --------
    >>> rows_for_gap(0.1, error=0.1), rows_for_gap(0.2, error=0.1)
    (156, 50)
    """
    if not 0 < gap < 1 - error:
        raise EvenhandError(
            f"gap: no error rate is {gap:g} above an error rate of {error:g}; give a gap above 0 and under "
            f"{1 - error:g}"
        )
    # A gap shrinks with √n: 1 / gap² times a constant is more than enough, and errors of 0 need 1 / gap.
    n = np.arange(1, int(40 / gap**2) + 40)
    return int(n[detectable_gap(n, error, n, level, power) <= gap][0])
