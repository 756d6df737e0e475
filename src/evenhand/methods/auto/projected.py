"""Rows of the pretrained projection before they are normalized, in memory or made slice by slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evenhand._typing import Floats
from evenhand.backbones.projection import Projection
from evenhand.functional.row_products import RowSource
from evenhand.methods._training.rows import RowView

VALUES = 2**27
"""Most values of projected rows kept in memory: 512 MiB. Above it, each pass projects them again."""


@dataclass(frozen=True)
class ProjectedRows:
    """h W + b of feature rows, made as slices are taken.

    Attributes
    ----------
    projection : Projection
        In the coordinates of the rows.
    rows : RowView
        Features [N, D_in].
    """

    projection: Projection
    rows: RowView

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (N, D)."""
        return len(self.rows), self.projection.weight.shape[1]

    def __getitem__(self, rows: slice) -> Floats:
        """Return the rows of a slice, float32 [n, D]."""
        part = self.rows.take(torch.arange(len(self.rows))[rows])
        out = np.empty((len(part), self.shape[1]), dtype=np.float32)
        done = 0
        for h in part.blocks() if len(part) else ():
            out[done : done + len(h)] = self._project(h)
            done += len(h)
        return out

    def take(self, rows: np.ndarray) -> ProjectedRows:
        """Return a view of the rows at positions [n]."""
        return ProjectedRows(self.projection, self.rows.take(torch.from_numpy(rows)))

    @torch.no_grad()
    def _project(self, h: Tensor) -> Floats:
        pooled, bias = self.projection.pool(h), self.projection.bias
        weight = self.projection.weight
        out: Floats = (pooled @ weight if bias is None else torch.addmm(bias, pooled, weight)).cpu().numpy()
        return out


@dataclass(frozen=True)
class UnitRows:
    """Rows minus their center, of unit length, made as slices are taken.

    Attributes
    ----------
    rows : RowSource
        Projected rows [N, D].
    center : float32 [D] or None
        What is subtracted; None if there is text.
    """

    rows: RowSource
    center: Floats | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (N, D)."""
        return self.rows.shape

    def __getitem__(self, rows: slice) -> Floats:
        """Return the rows of a slice, float32 [n, D]."""
        return unit_rows(self.rows[rows], self.center)


def unit_rows(x: Floats, center: Floats | None = None) -> Floats:
    """Return the rows of x [N, D] minus the center [D], of unit length; a zero row stays zero."""
    return scaled_to_unit(x.copy(), center)


def scaled_to_unit(x: Floats, center: Floats | None = None) -> Floats:
    """Apply `unit_rows` to x in place: a second copy of a large table may not fit into memory."""
    if center is not None:
        x -= center
    norm = np.sqrt(np.einsum("nd,nd->n", x, x))
    x /= np.where(norm > 0, norm, 1)[:, None]
    return x


def in_memory(rows: ProjectedRows) -> RowSource:
    """Return the rows as an array if they fit in memory, otherwise unchanged."""
    return rows[:] if rows.shape[0] * rows.shape[1] <= VALUES else rows
