"""What anchors are drawn against: positives of their class, negatives of the others.

Draws are shared by the anchors of one class in a step, so a step projects each drawn row once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Pools:
    """Row numbers by class, laid end to end, for drawing many rows of many classes at once."""

    def __init__(self, members: Sequence[Tensor]) -> None:
        self.rows = torch.cat(list(members))
        self.sizes = torch.tensor([len(rows) for rows in members])
        self.starts = self.sizes.cumsum(0) - self.sizes


class Draw(Protocol):
    """Draws k rows for each of U classes."""

    @property
    def k(self) -> int:
        """Rows per class."""

    def __call__(self, pools: Pools, classes: Tensor, generator: torch.Generator) -> Tensor:
        """Return row numbers [U, k]."""


@dataclass(frozen=True)
class RandomPositives:
    """k rows of the class's pool, uniformly and with replacement, anew at every step."""

    k: int = 16

    def __call__(self, pools: Pools, classes: Tensor, generator: torch.Generator) -> Tensor:
        """Return row numbers [U, k] from pools of P_c."""
        sizes = pools.sizes[classes][:, None]
        return pools.rows[pools.starts[classes][:, None] + _below(sizes, self.k, generator)]


@dataclass(frozen=True)
class RandomNegatives:
    """k rows of other classes, uniformly and with replacement (the paper's RNS)."""

    k: int = 16

    def __call__(self, pools: Pools, classes: Tensor, generator: torch.Generator) -> Tensor:
        """Return row numbers [U, k] from pools of all rows by class."""
        starts, sizes = pools.starts[classes][:, None], pools.sizes[classes][:, None]
        offset = _below(len(pools.rows) - sizes, self.k, generator)
        # The class's own block is stepped over, so every other row is equally likely.
        return pools.rows[offset + torch.where(offset >= starts, sizes, 0)]


def _below(bounds: Tensor, k: int, generator: torch.Generator) -> Tensor:
    """Return integers [U, k], uniform below bounds [U, 1]."""
    uniform = torch.rand(len(bounds), k, generator=generator, dtype=torch.float64)
    return (uniform * bounds).long()
