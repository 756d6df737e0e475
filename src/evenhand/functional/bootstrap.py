"""Bootstrap over rows, stratified by group, the same rows for all predictors."""

from __future__ import annotations

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats, Ints
from evenhand.functional.intervals import percentile_interval

DRAWS = 2000


def draw_rates(right: Bools, draws: int, generator: np.random.Generator) -> Floats:
    """Return the rates of K predictors over bootstrap draws of the same rows, [draws, K].

    Rows on which all K agree in the same way are exchangeable, so the draw is multinomial over the distinct
    patterns: exact, and free of the number of rows.

    Parameters
    ----------
    right : bool [K, n]
        Correctness; n ≥ 1.
    draws : int
        Bootstrap draws.
    generator : Generator
        Where they come from.
    """
    n = right.shape[1]
    packed = np.ascontiguousarray(np.packbits(right, axis=0).T)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    share = generator.multinomial(n, counts / n, size=draws) / n
    drawn: Floats = share @ right[:, first].T
    return drawn


def group_rates(
    right: Bools, groups: Ints, draws: int, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the rates of K predictors [K, N] by group, [K, G], and over draws within groups, [draws, K, G].

    Groups are in the order of their numbers; negative is unknown and left out.
    """
    members = [np.flatnonzero(groups == g) for g in np.unique(groups[groups >= 0])]
    point = np.empty((len(right), len(members)))
    drawn = np.empty((draws, len(right), len(members)))
    for place, rows in enumerate(members):
        point[:, place] = right[:, rows].mean(axis=1)
        drawn[:, :, place] = draw_rates(right[:, rows], draws, generator)
    return point, drawn


def worst_group_difference(
    right: Bools, other: Bools, groups: Ints, seed: int, draws: int = DRAWS
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
    point, drawn = group_rates(np.stack([right, other]), groups, draws, generator)
    if not point.size:
        return float("nan"), float("nan"), float("nan")
    worst, drawn_worst = point.min(axis=1), drawn.min(axis=2)
    low, high = percentile_interval(drawn_worst[:, 0] - drawn_worst[:, 1])
    return float(worst[0] - worst[1]), low, high
