"""All pairs of rows that are nearly the same by cosine, without comparing every row with every other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from evenhand._typing import Floats, Ints

AXES, STEPS = 32, 3
"""Axes on which rows are compared first, near the principal ones; steps of the iteration that finds them."""
SAMPLE, BLOCK, KEYS, EXACT = 4096, 512, 16_384, 8192
"""Rows that give the axes, and sizes of a block of distances and of full rows: about 50 MiB each."""
CANDIDATES = 1000
"""Pairs per row that may be close on the axes: with more, the rows are too similar for this search."""


def pairs_alike(read: Callable[[Ints], Floats], n: int, least: float) -> Ints | None:
    """Return all pairs of rows with a cosine of `least` or more.

        { (i, j) : i < j, cos(h_i, h_j) ≥ least }

    The distance of unit vectors is √(2 − 2 cos), and no projection makes it larger: only rows that are that
    close on some principal axes are compared in full. The search is exact.

    Parameters
    ----------
    read : callable
        Given row numbers int64 [B], returns unit rows float32 [B, D].
    n : int
        Rows.
    least : float
        The smallest cosine of a pair, near 1.

    Returns
    -------
    int64 [P, 2] or None
        Pairs in ascending order; None if so many rows are close on the axes that the search would not end.

    Examples
    --------
    >>> rows = np.array([[1, 0], [0, 1], [0.999, 0.045]], dtype=np.float32)
    >>> pairs_alike(lambda numbers: rows[numbers], 3, least=0.99).tolist()
    [[0, 2]]
    """
    reach = 2 - 2 * least + 1e-5  # what float32 rounds away
    found, tried = [np.zeros((0, 2), dtype=np.int64)], 0
    z = _on_axes(read, n)
    order = np.argsort(z[:, 0], kind="stable").astype(np.int64)
    for close in _close_pairs(z[order], reach):
        tried += len(close)
        if tried > CANDIDATES * n:
            return None
        pairs = np.sort(order[close], axis=1)
        for start in range(0, len(pairs), EXACT):
            some = pairs[start : start + EXACT]
            cosine = np.einsum("nd,nd->n", read(some[:, 0]), read(some[:, 1]))
            found.append(some[cosine >= least - 1e-6])
    every = np.concatenate(found)
    return every[np.lexsort((every[:, 1], every[:, 0]))]


def _on_axes(read: Callable[[Ints], Floats], n: int) -> Floats:
    """Return the rows float32 [N, K] on orthonormal axes, near the K principal ones of a sample.

    By subspace iteration, Q ← qr(Xᵀ X Q): the search is exact on any orthonormal axes, and only slower on
    worse ones, so a full decomposition would cost more than it gains.
    """
    sample = read(np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64)))
    center = sample.mean(axis=0)
    centered = (sample - center).astype(np.float64)
    width = centered.shape[1]
    axes = np.random.default_rng(0).standard_normal((width, min(AXES, width)))
    for _ in range(STEPS):
        axes = np.linalg.qr(centered.T @ (centered @ axes))[0]
    axes = axes.astype(np.float32)
    blocks = (np.arange(start, min(n, start + EXACT)) for start in range(0, n, EXACT))
    return np.concatenate([(read(rows) - center) @ axes for rows in blocks])


def _close_pairs(z: Floats, reach: float) -> Iterator[Ints]:
    """Yield positions [P, 2] of rows whose squared distance is `reach` at most; z[:, 0] ascends."""
    ends = np.searchsorted(z[:, 0], z[:, 0] + np.sqrt(reach), side="right")
    squares = np.einsum("nd,nd->n", z, z)
    for start in range(0, len(z), BLOCK):
        stop = min(len(z), start + BLOCK)
        for first in range(start, int(ends[stop - 1]), KEYS):
            keys = slice(first, min(first + KEYS, int(ends[stop - 1])))
            apart = squares[start:stop, None] + squares[keys] - 2 * (z[start:stop] @ z[keys].T)
            a, b = np.nonzero(apart <= reach)
            pairs = np.stack([a + start, b + first], axis=1)
            yield pairs[pairs[:, 0] < pairs[:, 1]]
