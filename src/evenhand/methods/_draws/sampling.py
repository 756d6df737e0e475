"""Row numbers to draw from, and what a draw is.

Anchors of one class share a draw in a step, or each anchor has its own. A shared draw projects each drawn row
once for the whole class; either way every anchor sees rows of the same distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor


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
    """The rows of one fit that draws are made from.

    Attributes
    ----------
    features : callable
        Returns the training rows before the linear projection, [N, D]; costs a pass where they are pooled.
    y : int64 Tensor [N]
        Their codes.
    anchors : int64 Tensor [A]
        Rows that are contrasted with draws.
    positives : sequence of C int64 Tensors
        Rows of each class that anchors are pulled towards.
    """

    features: Callable[[], Tensor]
    y: Tensor
    anchors: Tensor
    positives: Sequence[Tensor]


@dataclass(frozen=True)
class Drawn:
    """Rows drawn for the anchors of one step.

    Attributes
    ----------
    rows : int64 Tensor [R, k]
        Row numbers, one draw a line.
    draw : int64 Tensor [A] or None
        Which draw each anchor uses; None where every anchor has its own, in their order.
    """

    rows: Tensor
    draw: Tensor | None


Sampler: TypeAlias = Callable[[Tensor, Tensor, torch.Generator], Drawn]
"""Draws for anchors, given their row numbers [A], their classes [A] and a random stream."""


def shared(rows: Callable[[Tensor, torch.Generator], Tensor]) -> Sampler:
    """Return the sampler that makes one draw for all anchors of a class.

    Parameters
    ----------
    rows : callable
        Takes classes [R] and a random stream; returns row numbers [R, k].
    """

    def draw(_anchors: Tensor, classes: Tensor, generator: torch.Generator) -> Drawn:
        present, draw_of_anchor = torch.unique(classes, return_inverse=True)
        return Drawn(rows(present, generator), draw_of_anchor)

    return draw


def _below(bounds: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Return integers [R, k], uniform below bounds [R, 1]."""
    uniform = torch.rand(len(bounds), k, generator=generator, dtype=torch.float64)
    return (uniform * bounds).long()
