"""What an anchor is pushed away from: rows of other classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from evenhand._ranges import COUNT, check
from evenhand.functional.nearest import nearest_of_other_classes
from evenhand.methods._draws.pools import Drawn, RowsByClass, SamplingPool, share_draws


class NegativeSource(Protocol):
    """Negatives of one fit."""

    def draw(self, anchors: Tensor, codes: Tensor, generator: torch.Generator, /) -> Drawn:
        """Return rows to project for anchors with row numbers and classes [A]."""


class NegativeRule(Protocol):
    """How negatives are chosen."""

    def begin(self, ground: SamplingPool) -> NegativeSource:
        """Return the source of one fit."""


@dataclass(frozen=True)
class RandomNegatives:
    """k rows of other classes, uniformly and with replacement (the paper's RNS).

    Attributes
    ----------
    k : int
        16 in the paper.
    shared : bool
        One draw for all anchors of a class in a step, or one for each anchor.
    """

    k: int = 16
    shared: bool = True

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def begin(self, ground: SamplingPool) -> NegativeSource:
        """Return the source of one fit."""
        return _Random(RowsByClass.of_codes(ground.y, ground.n_classes), self.k, self.shared)


@dataclass(frozen=True)
class NearestNegatives:
    """The k rows of other classes nearest to the anchor by cosine before the projection (the paper's NNS).

    Found exactly, once, since features before the projection never change. With fewer than k rows of other
    classes, those repeat.

    Attributes
    ----------
    k : int
        16 in the paper.
    """

    k: int = 16

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def begin(self, ground: SamplingPool) -> NegativeSource:
        """Return the source of one fit."""
        anchors = ground.chosen.anchors
        others = len(ground.y) - int(torch.bincount(ground.y).max())
        k = min(self.k, others)
        found = nearest_of_other_classes(ground.features(), ground.y, anchors, k)
        repeated = found[:, torch.arange(self.k) % k]
        place = torch.full((len(ground.y),), -1)
        place[anchors] = torch.arange(len(anchors))
        return _Nearest(repeated, place)


class _Random:
    def __init__(self, pools: RowsByClass, k: int, shared: bool) -> None:
        self._pools, self._k, self._shared = pools, k, shared

    def draw(self, _anchors: Tensor, codes: Tensor, generator: torch.Generator) -> Drawn:
        classes, line = share_draws(codes, self._shared)
        return Drawn(self._pools.outside(classes, self._k, generator), classes, line)


class _Nearest:
    def __init__(self, neighbours: Tensor, place: Tensor) -> None:
        self._neighbours, self._place = neighbours, place

    def draw(self, anchors: Tensor, codes: Tensor, _generator: torch.Generator) -> Drawn:
        return Drawn(self._neighbours[self._place[anchors]], codes, None)
