"""Feature rows, read where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

BLOCK = 16_384
"""Rows in memory at a time, so that memory stays flat however many there are."""


@dataclass(frozen=True)
class Rows:
    """A choice of rows of one array, scaled as they are taken; nothing is copied before.

    Attributes
    ----------
    array : float32 Tensor [N, D_in]
        Raw features, possibly mapped from a file.
    numbers : int64 Tensor [n] or None
        The chosen rows; None for all.
    divisor : float
        What a row is divided by.
    """

    array: Tensor
    numbers: Tensor | None = None
    divisor: float = 1.0

    def __len__(self) -> int:
        return len(self.array if self.numbers is None else self.numbers)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the rows at int64 positions [B], float32 [B, D_in]."""
        return self._scaled(self.array[rows if self.numbers is None else self.numbers[rows]])

    def take(self, rows: Tensor) -> Rows:
        """Return the choice of the rows at positions [B]."""
        return replace(self, numbers=rows if self.numbers is None else self.numbers[rows])

    def blocks(self) -> Iterator[Tensor]:
        """Yield all rows in order, at most `BLOCK` at a time."""
        parts = torch.split(self.array if self.numbers is None else self.numbers, BLOCK)
        for part in parts:
            yield self._scaled(part if self.numbers is None else self.array[part])

    def _scaled(self, h: Tensor) -> Tensor:
        return h if self.divisor == 1 else h / self.divisor
