"""Row numbers to draw from, and what a draw is.

A draw is shared by the anchors of one class in a step, or made for each anchor. Shared draws project each
drawn row once for the whole class; either way every anchor sees rows of the same distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from evenhand.methods._draws.calibration_set import CalibrationSet


class RowsByClass:
    """Row numbers by class, laid end to end, for drawing many rows of many classes at once."""

    def __init__(self, members: Sequence[Tensor]) -> None:
        self.rows = torch.cat(list(members))
        self.sizes = torch.tensor([len(rows) for rows in members])
        self.starts = self.sizes.cumsum(0) - self.sizes

    @classmethod
    def of_codes(cls, y: Tensor, n_classes: int) -> RowsByClass:
        """Return the pools of all rows by class, from codes y [N]."""
        return cls(torch.split(y.argsort(stable=True), torch.bincount(y, minlength=n_classes).tolist()))

    def inside(self, classes: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """Return rows [R, k] of classes [R], uniformly and with replacement."""
        sizes = self.sizes[classes][:, None]
        return self.rows[self.starts[classes][:, None] + _below(sizes, k, generator)]

    def outside(self, classes: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """Return rows [R, k] of any class but classes [R], uniformly and with replacement."""
        starts, sizes = self.starts[classes][:, None], self.sizes[classes][:, None]
        offset = _below(len(self.rows) - sizes, k, generator)
        # The class's own block is stepped over, so every other row is equally likely.
        return self.rows[offset + torch.where(offset >= starts, sizes, 0)]


@dataclass(frozen=True)
class SamplingPool:
    """What draws are made from.

    Attributes
    ----------
    features : callable
        Returns the training rows before the linear projection, [N, D]; costs a pass where they are pooled.
    y : int64 Tensor [N]
        Their codes.
    chosen : CalibrationSet
        Anchors and positives.
    n_classes : int
        C.
    """

    features: Callable[[], Tensor]
    y: Tensor
    chosen: CalibrationSet
    n_classes: int


@dataclass(frozen=True)
class Drawn:
    """Rows drawn for the anchors of one step.

    Attributes
    ----------
    rows : int64 Tensor [R, k]
        Row numbers, line by line.
    classes : int64 Tensor [R]
        The anchors' class of each line.
    line : int64 Tensor [A] or None
        The line of each anchor; None where there is one line per anchor, in their order.
    """

    rows: Tensor
    classes: Tensor
    line: Tensor | None


def share_draws(codes: Tensor, shared: bool) -> tuple[Tensor, Tensor | None]:
    """Return the classes [R] of the lines and the line of each anchor, for anchors of classes `codes` [A]."""
    if not shared:
        return codes, None
    classes, line = torch.unique(codes, return_inverse=True)
    return classes, line


def _below(bounds: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Return integers [R, k], uniform below bounds [R, 1]."""
    uniform = torch.rand(len(bounds), k, generator=generator, dtype=torch.float64)
    return (uniform * bounds).long()
