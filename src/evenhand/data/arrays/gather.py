"""Rows of arrays that are in parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evenhand._typing import Floats, Ints


def gathered(parts: Sequence[Floats], ends: Ints, rows: Ints) -> Floats:
    """Return float32 [len(rows), D], gathered part by part so that no part is copied whole.

    Parameters
    ----------
    parts : sequence of arrays [n_k, D]
        At least one.
    ends : int64 [K]
        How many rows there are up to the end of each part.
    rows : int64 [B]
        Row numbers over all parts.
    """
    out = np.empty((len(rows), parts[0].shape[1]), dtype=np.float32)
    part_of = np.searchsorted(ends, rows, side="right")
    order = np.argsort(part_of, kind="stable")
    for inside in np.split(order, np.flatnonzero(np.diff(part_of[order])) + 1):
        if len(inside):
            number = int(part_of[inside[0]])
            part = np.asarray(parts[number])
            out[inside] = part[rows[inside] - (ends[number] - len(part))]
    return out
