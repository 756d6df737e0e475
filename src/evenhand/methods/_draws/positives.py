"""What an anchor is pulled towards: rows of its class that the reference has right, or their centroid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from evenhand._ranges import BELOW_ONE, COUNT, check
from evenhand.functional.geometry import unit
from evenhand.methods._draws.pools import Drawn, RowsByClass, SamplingPool, share_draws


class PositiveSource(Protocol):
    """Positives of one fit."""

    def draw(self, codes: Tensor, generator: torch.Generator) -> Drawn:
        """Return rows to project for anchors of classes `codes` [A]."""

    def targets(self, z: Tensor, drawn: Drawn, /) -> Tensor:
        """Return the unit vectors [R, P, D] to pull towards, from projected rows z [R, k, D]."""


class PositiveRule(Protocol):
    """How positives are made."""

    def begin(self, ground: SamplingPool) -> PositiveSource:
        """Return the source of one fit."""


@dataclass(frozen=True)
class DrawnRows:
    """k rows of P_c, drawn anew at every step, each a positive of its own (the paper's).

    Attributes
    ----------
    k : int
        16 in the paper. Drawn with replacement, so more may be asked for than there are.
    shared : bool
        One draw for all anchors of a class in a step, or one for each anchor.
    """

    k: int = 16
    shared: bool = True

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def begin(self, ground: SamplingPool) -> PositiveSource:
        """Return the source of one fit."""
        return _Rows(RowsByClass(ground.chosen.positives), self.k, self.shared)


@dataclass(frozen=True)
class Centroid:
    """The renormalised mean of k rows of P_c, drawn anew at every step: one positive per anchor.

    Attributes
    ----------
    k, shared
        As for `DrawnRows`.
    """

    k: int = 16
    shared: bool = True

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def begin(self, ground: SamplingPool) -> PositiveSource:
        """Return the source of one fit."""
        return _Mean(RowsByClass(ground.chosen.positives), self.k, self.shared)


@dataclass(frozen=True)
class RunningCentroid:
    """A moving average over steps of the mean of k drawn rows of P_c, one per class.

    μ_c ← unit(m · μ_c + (1 − m) · mean z), where the first step of a class sets μ_c to its mean. The
    gradient flows through the rows of the step, not through the past.

    Attributes
    ----------
    k : int
        Rows per class and step.
    momentum : float
        m.
    """

    k: int = 16
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check(self, k=COUNT, momentum=BELOW_ONE)

    def begin(self, ground: SamplingPool) -> PositiveSource:
        """Return the source of one fit."""
        return _Running(RowsByClass(ground.chosen.positives), self.k, self.momentum)


class _Rows:
    def __init__(self, pools: RowsByClass, k: int, shared: bool) -> None:
        self._pools, self._k, self._shared = pools, k, shared

    def draw(self, codes: Tensor, generator: torch.Generator) -> Drawn:
        classes, line = share_draws(codes, self._shared)
        return Drawn(self._pools.inside(classes, self._k, generator), classes, line)

    def targets(self, z: Tensor, _drawn: Drawn) -> Tensor:
        return z


class _Mean(_Rows):
    def targets(self, z: Tensor, _drawn: Drawn) -> Tensor:
        return unit(z.mean(dim=1, keepdim=True))


class _Running(_Rows):
    def __init__(self, pools: RowsByClass, k: int, momentum: float) -> None:
        super().__init__(pools, k, shared=True)
        self._momentum = momentum
        self._past: Tensor | None = None

    def targets(self, z: Tensor, drawn: Drawn) -> Tensor:
        mean = z.mean(dim=1)
        if self._past is None:
            self._past = torch.zeros(len(self._pools.sizes), mean.shape[1], dtype=mean.dtype)
        past = self._past[drawn.classes]
        known = past.any(dim=1, keepdim=True)
        now = unit(torch.where(known, self._momentum * past + (1 - self._momentum) * mean, mean))
        self._past[drawn.classes] = now.detach()
        return now[:, None]
