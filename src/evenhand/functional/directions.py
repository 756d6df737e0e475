"""Which directions separate one set of vectors from another, corrected for the number of directions."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Bools, Floats

LEAST_SPREAD = 1e-4
"""A direction along which projections vary less counts as constant: float32 cosines are no more exact."""


def contrast(
    z: Floats, directions: Floats, first: Bools, generator: np.random.Generator, n_resamples: int = 999
) -> tuple[Floats, Floats]:
    """Score directions by how much further the first set of vectors points along them than the rest does.

        d_v = (mean of z_i·t_v over the first set − over the rest) / (standard deviation of z_i·t_v over all)
        p_v = (1 + #{permutations whose largest d over all v is at least d_v}) / (1 + number of permutations)

    A permutation reassigns membership in the first set. Comparing with the largest d corrects p for
    the number of directions (the maximum statistic of Westfall and Young). A direction along which nothing
    varies has d = 0.

    Parameters
    ----------
    z : float [N, D]
        All vectors.
    directions : float [V, D]
        t_v.
    first : bool [N]
        Which vectors form the first set; neither the set nor the rest is empty.
    generator : numpy.random.Generator
        Source of the permutations.
    n_resamples : int, default=999
        Number of permutations.

    Returns
    -------
    d : float64 [V]
        Differences, in standard deviations.
    p : float64 [V]
        Corrected one-sided p-values.

    References
    ----------
    P. H. Westfall, S. S. Young, Resampling-Based Multiple Testing, Wiley 1993.

    Examples
    --------
    >>> import numpy as np
    >>> first = np.arange(40) < 20
    >>> z = np.stack([np.where(first, 1.0, -1.0), np.tile([1.0, -1.0], 20)], axis=1)
    >>> d, p = contrast(z, np.eye(2), first, np.random.default_rng(0))
    >>> d.tolist(), p.round(1).tolist()
    ([2.0, 0.0], [0.0, 0.9])
    """
    n, k = len(z), int(first.sum())
    centered = (z - z.mean(axis=0)).astype(np.float64)
    t = directions.astype(np.float64)
    spread = np.sqrt(np.maximum(((t @ (centered.T @ centered / n)) * t).sum(axis=1), 0))
    scale = np.where(spread > LEAST_SPREAD, spread, np.inf)
    # With the mean removed, the others' mean is −k/(n−k) times the first's.
    factor = n / (k * (n - k))
    d = factor * (t @ centered[first].sum(axis=0)) / scale
    largest = np.empty(n_resamples)
    for draw in range(n_resamples):
        dealt = centered[generator.permutation(n)[:k]].sum(axis=0)
        largest[draw] = (factor * (t @ dealt) / scale).max()
    exceeded = n_resamples - np.searchsorted(np.sort(largest), d - 1e-12, side="left")
    return d, (1 + exceeded) / (1 + n_resamples)
