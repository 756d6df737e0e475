"""Bootstrap over rows, stratified by group; all predictors share the resampled rows."""

from __future__ import annotations

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats, Ints
from evenhand.functional.intervals import percentile_interval

DRAWS = 2000
"""Resamples by default."""


def draw_rates(right: Bools, n_resamples: int, generator: np.random.Generator) -> Floats:
    """Return the accuracies of K predictors on bootstrap resamples of the same n rows.

    Rows with the same pattern of correct and wrong predictors are exchangeable. Counts of the distinct
    patterns therefore follow a multinomial distribution, which is exact and whose cost does not grow with n.

    Parameters
    ----------
    right : bool [K, n]
        Whether predictor k classifies row i correctly; n is at least 1.
    n_resamples : int
        Number of resamples R.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    float64 [R, K]

    References
    ----------
    B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, Chapman & Hall 1993, §6.

    Examples
    --------
    >>> import numpy as np
    >>> rates = draw_rates(np.array([[True, True, False]]), 10**5, np.random.default_rng(0))
    >>> rates.shape, rates.mean().round(2).item()
    ((100000, 1), 0.67)
    """
    n = right.shape[1]
    packed = np.ascontiguousarray(np.packbits(right, axis=0).T)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    share = generator.multinomial(n, counts / n, size=n_resamples) / n
    drawn: Floats = share @ right[:, first].T
    return drawn


def group_rates(
    right: Bools, groups: Ints, n_resamples: int, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the accuracies of K predictors in each group, and the same on bootstrap resamples.

    Rows are resampled within their group, so that the sizes of the groups stay as they are.

    Parameters
    ----------
    right : bool [K, N]
        Whether predictor k classifies row i correctly.
    groups : int64 [N]
        Group codes; a negative code is unknown and left out.
    n_resamples : int
        Number of resamples R.
    generator : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    rates : float64 [K, G]
        Groups are in ascending order of their codes.
    resampled : float64 [R, K, G]

    Examples
    --------
    >>> import numpy as np
    >>> right = np.array([[True, False, True, True]])
    >>> group_rates(right, np.array([0, 0, 1, -1]), 100, np.random.default_rng(0))[0].tolist()
    [[0.5, 1.0]]
    """
    members = [np.flatnonzero(groups == g) for g in np.unique(groups[groups >= 0])]
    point = np.empty((len(right), len(members)))
    drawn = np.empty((n_resamples, len(right), len(members)))
    for place, rows in enumerate(members):
        point[:, place] = right[:, rows].mean(axis=1)
        drawn[:, :, place] = draw_rates(right[:, rows], n_resamples, generator)
    return point, drawn


def worst_group_difference(
    right: Bools, other: Bools, groups: Ints, seed: int, n_resamples: int = DRAWS
) -> tuple[float, float, float]:
    """Return the difference in worst-group accuracy between two predictors, with a bootstrap interval.

        min_g mean(right in g) − min_g mean(other in g)

    Rows are resampled within each group. Both predictors share the resampled rows, so the interval is paired.

    Parameters
    ----------
    right, other : bool [N]
        Whether each of the two predictors classifies row i correctly.
    groups : int64 [N]
        Group codes; a negative code is unknown and left out.
    seed : int
        Seed of the resamples.
    n_resamples : int, default=2000
        Number of resamples.

    Returns
    -------
    value, low, high : float
        The difference and its 95 % percentile interval; nan if no row has a known group.

    Examples
    --------
    >>> import numpy as np
    >>> right, groups = np.array([True] * 30 + [False] * 10), np.repeat([0, 1], 20)
    >>> worst_group_difference(right, right, groups, seed=0)
    (0.0, 0.0, 0.0)
    """
    generator = numpy_stream(seed, "worst-group-difference")
    point, drawn = group_rates(np.stack([right, other]), groups, n_resamples, generator)
    if not point.size:
        return float("nan"), float("nan"), float("nan")
    worst, drawn_worst = point.min(axis=1), drawn.min(axis=2)
    low, high = percentile_interval(drawn_worst[:, 0] - drawn_worst[:, 1])
    return float(worst[0] - worst[1]), low, high
