"""In which order an epoch passes over its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class BlockOrder:
    """A shuffle of blocks of neighboring rows, and of the rows of a few blocks at a time.

    What lies on a disk is read fast only in long pieces. A window of many blocks from all over the disk is
    still a fair sample, even where a store holds one class after the other.

    Attributes
    ----------
    rows : int
        Neighbours that are read together.
    window : int
        Blocks whose rows are shuffled together; 65,536 rows by default.
    """

    rows: int = 256
    window: int = 256

    def windows(self, n: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Yield the n row numbers in shuffled windows, int64."""
        blocks = torch.randperm(-(-n // self.rows), generator=generator)
        for chosen in torch.split(blocks, self.window):
            rows = (chosen[:, None] * self.rows + torch.arange(self.rows)).flatten()
            rows = rows[rows < n]
            yield rows[torch.randperm(len(rows), generator=generator)]


def batches(
    n: int, size: int, generator: torch.Generator, order: BlockOrder | None = None
) -> Iterator[Tensor]:
    """Yield int64 row numbers of a fresh shuffle of n rows, `size` at a time; the last may be fewer.

    Parameters
    ----------
    n, size : int
        Rows of an epoch and of a batch.
    generator : torch.Generator
        Shuffles.
    order : BlockOrder or None
        None shuffles all rows together.
    """
    if order is None:
        yield from torch.split(torch.randperm(n, generator=generator), size)
        return
    left = torch.empty(0, dtype=torch.int64)
    for window in order.windows(n, generator):
        left = torch.cat([left, window])
        full = len(left) // size * size
        yield from torch.split(left[:full], size) if full else ()
        left = left[full:]
    if len(left):
        yield left
