"""Which directions tell one set of vectors from another, beyond what chance would show among so many."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Bools, Floats

LEAST_SPREAD = 1e-4
"""Projections that vary less are constant: cosines in float32 are no more exact."""


def contrast(
    z: Floats, directions: Floats, first: Bools, generator: np.random.Generator, draws: int = 999
) -> tuple[Floats, Floats]:
    """Score directions by how much more the first vectors point along them than the others do.

    d_v = (mean of z_i·t_v over the first − over the others) / (standard deviation of z_i·t_v over all). The
    spread is that of all vectors, so that dealing "first" out anew changes the difference alone:
    p_v = (1 + #{draws whose largest d over v is at least d_v}) / (1 + draws), which allows for every
    direction looked at (Westfall and Young's maximum). A direction along which nothing varies scores 0.

    Parameters
    ----------
    z : float [N, D]
        Vectors, some of them first and some not.
    directions : float [V, D]
        t_v.
    first : bool [N]
        Which are first.
    generator : numpy Generator
        Deals "first" out.
    draws : int
        How often.

    Returns
    -------
    d, p : float64 [V]
        In standard deviations, and the corrected one-sided p-value.

    References
    ----------
    P. H. Westfall, S. S. Young, Resampling-Based Multiple Testing, Wiley 1993.
    """
    n, k = len(z), int(first.sum())
    centred = (z - z.mean(axis=0)).astype(np.float64)
    t = directions.astype(np.float64)
    spread = np.sqrt(np.maximum(((t @ (centred.T @ centred / n)) * t).sum(axis=1), 0))
    scale = np.where(spread > LEAST_SPREAD, spread, np.inf)
    # With the mean removed, the others' mean is −k/(n−k) times the first's.
    factor = n / (k * (n - k))
    d = factor * (t @ centred[first].sum(axis=0)) / scale
    largest = np.empty(draws)
    for draw in range(draws):
        dealt = centred[generator.permutation(n)[:k]].sum(axis=0)
        largest[draw] = (factor * (t @ dealt) / scale).max()
    exceeded = draws - np.searchsorted(np.sort(largest), d - 1e-12, side="left")
    return d, (1 + exceeded) / (1 + draws)
