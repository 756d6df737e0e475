"""What an anchor is pulled towards: rows of its class that the reference classifies correctly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from evenhand._ranges import COUNT, check
from evenhand.functional.geometry import unit
from evenhand.methods._draws.sampling import RowsByClass, Sampler, SamplingPool, shared


class PositiveRule(Protocol):
    """How positives are drawn, and which vectors they become."""

    def sampler(self, pool: SamplingPool, /) -> Sampler:
        """Return what draws the positives of one fit."""

    def targets(self, z: Tensor, /) -> Tensor:
        """Return the unit vectors [R, P, D] to pull towards, from projected draws z [R, k, D]."""


@dataclass(frozen=True)
class DrawnRows:
    """k rows of P_c, drawn anew at every step, each a positive of its own (the paper's).

    Attributes
    ----------
    k : int, default=16
        Rows of a draw, as in the paper. Drawn with replacement, so k may exceed the number of rows.
    """

    k: int = 16

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return what draws the positives of one fit."""
        return _of_class(pool, self.k)

    def targets(self, z: Tensor) -> Tensor:
        """Return the drawn rows themselves, [R, k, D]."""
        return z


@dataclass(frozen=True)
class Centroid:
    """The renormalized mean of k rows of P_c, drawn anew at every step: one positive per anchor.

    Attributes
    ----------
    k : int, default=16
        Rows of a draw.
    """

    k: int = 16

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return what draws the positives of one fit."""
        return _of_class(pool, self.k)

    def targets(self, z: Tensor) -> Tensor:
        """Return unit(mean over the draw), [R, 1, D]."""
        return unit(z.mean(dim=1, keepdim=True))


def _of_class(pool: SamplingPool, k: int) -> Sampler:
    rows = RowsByClass(pool.positives)
    return shared(lambda classes, generator: rows.inside(classes, k, generator))
