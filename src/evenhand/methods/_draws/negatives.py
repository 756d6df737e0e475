"""What an anchor is pushed away from: rows of other classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from evenhand._ranges import COUNT, check
from evenhand.functional.nearest import nearest_of_other_classes
from evenhand.methods._draws.sampling import Drawn, RowsByClass, Sampler, SamplingPool, shared


class NegativeRule(Protocol):
    """How negatives are drawn."""

    def sampler(self, pool: SamplingPool, /) -> Sampler:
        """Return what draws the negatives of one fit."""


@dataclass(frozen=True)
class RandomNegatives:
    """k rows of other classes, uniformly and with replacement (the paper's RNS).

    Attributes
    ----------
    k : int, default=16
        Rows of a draw, as in the paper.
    """

    k: int = 16

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return what draws the negatives of one fit."""
        rows = RowsByClass.of_codes(pool.y, len(pool.positives))
        return shared(lambda classes, generator: rows.outside(classes, self.k, generator))


@dataclass(frozen=True)
class NearestNegatives:
    """The k rows of other classes nearest to the anchor by cosine before the projection (the paper's NNS).

    The search is exact and runs once, since features before the projection never change. Where other classes
    have fewer than k rows, those repeat.

    Attributes
    ----------
    k : int, default=16
        Rows of an anchor, as in the paper.
    """

    k: int = 16

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return what looks the negatives of one fit up."""
        k = min(self.k, len(pool.y) - int(torch.bincount(pool.y).max()))
        nearest = nearest_of_other_classes(pool.features(), pool.y, pool.anchors, k)
        repeated = nearest[:, torch.arange(self.k) % k]
        place = torch.full((len(pool.y),), -1)
        place[pool.anchors] = torch.arange(len(pool.anchors))

        def look_up(anchors: Tensor, _classes: Tensor, _generator: torch.Generator) -> Drawn:
            return Drawn(repeated[place[anchors]], None)

        return look_up
