"""Exact nearest rows by cosine, in blocks: no N × N array is ever made."""

from __future__ import annotations

import torch
from torch import Tensor

from evenhand.functional.geometry import unit

QUERIES, KEYS = 1024, 16_384
"""Sizes of the block of similarities in memory: 64 MiB of float32."""


def nearest_of_other_classes(h: Tensor, y: Tensor, queries: Tensor, k: int) -> Tensor:
    """Return the k rows of other classes with the largest cosine to each query row.

        argtop-k_j { cos(h_i, h_j) : y_j ≠ y_i }  for each query i

    Parameters
    ----------
    h : Tensor [N, D]
        Rows; their norms do not matter.
    y : int64 Tensor [N]
        Class codes.
    queries : int64 Tensor [Q]
        Row numbers of the queries.
    k : int
        Rows per query, at most the number of rows outside the largest class.

    Returns
    -------
    int64 Tensor [Q, k]
        Row numbers, nearest first.

    Examples
    --------
    >>> import torch
    >>> h, y = torch.tensor([[1.0, 0], [1, 0.1], [1, 1], [0, 1]]), torch.tensor([0, 0, 1, 1])
    >>> nearest_of_other_classes(h, y, queries=torch.tensor([0, 3]), k=2).tolist()
    [[2, 3], [1, 0]]
    """
    order = y[queries].argsort(stable=True)
    found = torch.empty(len(queries), k, dtype=torch.long)
    for block in torch.split(order, QUERIES):
        rows = queries[block]
        found[block] = _search(unit(h[rows]), y[rows], h, y, k)
    return found


def _search(q: Tensor, q_y: Tensor, h: Tensor, y: Tensor, k: int) -> Tensor:
    """Return the best k rows [Q, k] for unit queries q [Q, D] with codes [Q]."""
    best = torch.full((len(q), k), -torch.inf, dtype=h.dtype)
    rows = torch.zeros(len(q), k, dtype=torch.long)
    for start in range(0, len(h), KEYS):
        keys, codes = h[start : start + KEYS], y[start : start + KEYS]
        cosine = q @ unit(keys).T
        cosine.masked_fill_(q_y[:, None] == codes, -torch.inf)
        value, place = cosine.topk(min(k, len(keys)), dim=1)
        best, which = torch.cat([best, value], dim=1).topk(k, dim=1)
        rows = torch.cat([rows, place + start], dim=1).gather(1, which)
    return rows
