"""The order of the rows in an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class BlockOrder:
    """A shuffle of blocks of neighboring rows, and of the rows within a window of blocks.

    A disk is fast only for long runs of rows. A window of many blocks from all over the store is
    still a fair sample, even if the rows of the store are sorted by class.

    Attributes
    ----------
    rows : int, default=256
        Rows of a block.
    window : int, default=256
        Blocks whose rows are shuffled together.
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
    """Yield int64 row numbers of a new shuffle of n rows, `size` at a time; the last batch may be smaller.

    Parameters
    ----------
    n, size : int
        Rows of an epoch and of a batch.
    generator : torch.Generator
        Source of the shuffle.
    order : BlockOrder or None, default=None
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
