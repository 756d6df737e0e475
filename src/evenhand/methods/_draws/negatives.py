"""Negatives of an anchor: rows of other classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from evenhand._ranges import COUNT, check
from evenhand.functional.nearest import nearest_of_other_classes
from evenhand.methods._draws.sampling import Drawn, RowsByClass, Sampler, SamplingPool, shared


class NegativeRule(Protocol):
    """Draws the negatives of anchors; any object with this method will do."""

    def sampler(self, pool: SamplingPool, /) -> Sampler:
        """Return the sampler of negatives of one fit."""


@dataclass(frozen=True)
class RandomNegatives:
    """Draw k rows of other classes, uniformly and with replacement (RNS in the CFR paper).

    Parameters
    ----------
    k : int, default=16
        Rows per draw, at least 1; 16 as in the paper. Anchors of one class share a draw.
    """

    k: int = 16

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return the sampler of negatives of one fit."""
        rows = RowsByClass.of_codes(pool.y, len(pool.positives))
        return shared(lambda classes, generator: rows.outside(classes, self.k, generator))


@dataclass(frozen=True)
class NearestNegatives:
    """Take the k rows of other classes with the largest cosine to the anchor (NNS in the CFR paper).

    The cosine is that of features before the projection. They never change, so one exact search is enough.
    If other classes have fewer than k rows, the rows repeat.

    Parameters
    ----------
    k : int, default=16
        Rows per anchor, at least 1; 16 as in the paper.
    """

    k: int = 16

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return the sampler of negatives of one fit."""
        k = min(self.k, len(pool.y) - int(torch.bincount(pool.y).max()))
        nearest = nearest_of_other_classes(pool.features(), pool.y, pool.anchors, k)
        repeated = nearest[:, torch.arange(self.k) % k]
        place = torch.full((len(pool.y),), -1)
        place[pool.anchors] = torch.arange(len(pool.anchors))

        def look_up(anchors: Tensor, _classes: Tensor, _generator: torch.Generator) -> Drawn:
            return Drawn(repeated[place[anchors]], None)

        return look_up
