"""Paired bootstrap of the difference in worst-group accuracy."""

from __future__ import annotations

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Ints
from evenhand.functional.intervals import percentile_interval


def worst_group_difference(
    right: Bools, other: Bools, groups: Ints, seed: int, draws: int = 2000
) -> tuple[float, float, float]:
    """Difference in worst-group accuracy between two predictors on the same rows, with interval.

    min_g mean(right in g) − min_g mean(other in g). Rows are drawn with replacement within each group,
    the same rows for both predictors.

    Parameters
    ----------
    right, other : bool [N]
        Correctness of the two predictors.
    groups : int64 [N]
        Group numbers; negative is unknown and left out.
    seed : int
        Root of the stream.
    draws : int
        Bootstrap draws.

    Returns
    -------
    value, low, high : float
        The difference and its 95 % percentile interval.
    """
    generator = numpy_stream(seed, "worst-group-difference")
    members = [np.flatnonzero(groups == g) for g in np.unique(groups[groups >= 0])]
    if not members:
        return float("nan"), float("nan"), float("nan")
    drawn = np.empty((2, len(members), draws))
    point = np.empty((2, len(members)))
    for place, rows in enumerate(members):
        # A row enters by its two flags alone, so that four counts are drawn, however many rows there are.
        counts = np.bincount(2 * right[rows].astype(np.int64) + other[rows], minlength=4)
        shares = generator.multinomial(len(rows), counts / len(rows), size=draws) / len(rows)
        drawn[0, place], drawn[1, place] = shares[:, 2] + shares[:, 3], shares[:, 1] + shares[:, 3]
        point[0, place], point[1, place] = right[rows].mean(), other[rows].mean()
    low, high = percentile_interval(drawn[0].min(axis=0) - drawn[1].min(axis=0))
    return float(point[0].min() - point[1].min()), low, high
