"""Draws of row numbers.

In a step, anchors of one class share a draw, or each anchor has its own. A shared draw saves projections:
each drawn row is projected once per class. Either way, every anchor has rows of the same distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor


class RowsByClass:
    """Row numbers by class, concatenated, for draws of many rows of many classes at once."""

    def __init__(self, members: Sequence[Tensor]) -> None:
        self.rows = torch.cat(list(members))
        self.sizes = torch.tensor([len(rows) for rows in members])
        self.starts = self.sizes.cumsum(0) - self.sizes

    @classmethod
    def of_codes(cls, y: Tensor, n_classes: int) -> RowsByClass:
        """Return all rows by class, from class codes y [N]."""
        return cls(torch.split(y.argsort(stable=True), torch.bincount(y, minlength=n_classes).tolist()))

    def inside(self, classes: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """Draw rows [R, k] of classes [R], uniformly and with replacement."""
        sizes = self.sizes[classes][:, None]
        return self.rows[self.starts[classes][:, None] + _below(sizes, k, generator)]

    def outside(self, classes: Tensor, k: int, generator: torch.Generator) -> Tensor:
        """Draw rows [R, k] of all classes but classes [R], uniformly and with replacement."""
        starts, sizes = self.starts[classes][:, None], self.sizes[classes][:, None]
        offset = _below(len(self.rows) - sizes, k, generator)
        # The block of the class itself is skipped, so all other rows are equally likely.
        return self.rows[offset + torch.where(offset >= starts, sizes, 0)]


@dataclass(frozen=True)
class SamplingPool:
    """The rows of one fit that positives and negatives are drawn from.

    Attributes
    ----------
    features : callable
        Returns the training rows before the linear projection, [N, D]. An attention pool costs one pass.
    y : int64 Tensor [N]
        Class codes of the training rows.
    anchors : int64 Tensor [A]
        Row numbers of the anchors.
    positives : sequence of C int64 Tensors
        Row numbers of the positives of each class.
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
        Row numbers of R draws.
    draw : int64 Tensor [A] or None
        Which draw each anchor uses; None means that anchor i uses draw i.
    """

    rows: Tensor
    draw: Tensor | None


Sampler: TypeAlias = Callable[[Tensor, Tensor, torch.Generator], Drawn]
"""Takes row numbers [A] and classes [A] of anchors and a random generator; returns a `Drawn`."""


def shared(rows: Callable[[Tensor, torch.Generator], Tensor]) -> Sampler:
    """Return a sampler that makes one draw for all anchors of a class.

    Parameters
    ----------
    rows : callable
        Takes classes [R] and a random generator; returns row numbers [R, k].
    """

    def draw(_anchors: Tensor, classes: Tensor, generator: torch.Generator) -> Drawn:
        present, draw_of_anchor = torch.unique(classes, return_inverse=True)
        return Drawn(rows(present, generator), draw_of_anchor)

    return draw


def _below(bounds: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Return integers [R, k], uniform below bounds [R, 1]."""
    uniform = torch.rand(len(bounds), k, generator=generator, dtype=torch.float64)
    return (uniform * bounds).long()
