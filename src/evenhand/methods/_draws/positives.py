"""Positives of an anchor: rows of its class that the reference classifies correctly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from evenhand._ranges import COUNT, check
from evenhand.functional.geometry import unit
from evenhand.methods._draws.sampling import RowsByClass, Sampler, SamplingPool, shared


class PositiveRule(Protocol):
    """Draws the positives of anchors; any object with these methods will do."""

    def sampler(self, pool: SamplingPool, /) -> Sampler:
        """Return the sampler of positives of one fit."""

    def targets(self, z: Tensor, /) -> Tensor:
        """Return the unit vectors [R, P, D] to pull to, from the embeddings z [R, k, D] of R draws."""


@dataclass(frozen=True)
class DrawnRows:
    """Draw k rows of P_c at every step; each of them is a positive, as in the CFR paper.

    Parameters
    ----------
    k : int, default=16
        Rows per draw, at least 1; 16 as in the paper. Draws are with replacement, so k may exceed the number
        of rows.
    """

    k: int = 16

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return the sampler of positives of one fit."""
        return _of_class(pool, self.k)

    def targets(self, z: Tensor) -> Tensor:
        """Return the drawn rows themselves, [R, k, D]."""
        return z


@dataclass(frozen=True)
class Centroid:
    """Draw k rows of P_c at every step; their normalized mean is the only positive.

    Parameters
    ----------
    k : int, default=16
        Rows per draw, at least 1.
    """

    k: int = 16

    def __post_init__(self) -> None:
        check(self, k=COUNT)

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return the sampler of positives of one fit."""
        return _of_class(pool, self.k)

    def targets(self, z: Tensor) -> Tensor:
        """Return unit(mean over the draw), [R, 1, D]."""
        return unit(z.mean(dim=1, keepdim=True))


def _of_class(pool: SamplingPool, k: int) -> Sampler:
    rows = RowsByClass(pool.positives)
    return shared(lambda classes, generator: rows.inside(classes, k, generator))
