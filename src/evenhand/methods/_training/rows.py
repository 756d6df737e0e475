"""Views on rows of features, in memory or in a store."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand._typing import Floats
from evenhand.data.table import StoredRows
from evenhand.methods._training.order import BlockOrder

BLOCK = 4096
"""Rows per block: few, so that intermediate results stay small compared with the features."""
VALUES = 2**25
"""Largest number of values per block where rows are copied from a store: 128 MiB."""


@dataclass(frozen=True)
class RowView:
    """Some rows of an array, scaled when they are read; nothing is copied before.

    Attributes
    ----------
    array : float32 Tensor [N, D_in] or StoredRows
        Raw features, in memory or in a store.
    numbers : int64 Tensor [n] or None
        Numbers of the rows in view; None is all rows.
    divisor : float
        Each row is divided by it.
    order : BlockOrder or None
        Order of the rows in an epoch; None shuffles all of them together.
    device : str
        Where rows are returned; an array in memory is there as a whole.
    """

    array: Tensor | StoredRows
    numbers: Tensor | None = None
    divisor: float = 1.0
    order: BlockOrder | None = None
    device: str = "cpu"

    @classmethod
    def of(cls, X: Floats | StoredRows | RowView, device: str = "cpu") -> RowView:
        """Return a view on all rows of X [N, D_in]; rows of a store are shuffled in blocks."""
        if isinstance(X, RowView):
            return X
        if isinstance(X, StoredRows):
            return cls(X, order=BlockOrder(), device=device)
        with warnings.catch_warnings():
            # The features may be mapped read-only. Nothing here writes to them, and a copy may not fit.
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            return cls(torch.from_numpy(X).to(device), device=device)

    def __len__(self) -> int:
        return len(self.array if self.numbers is None else self.numbers)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Return the rows at int64 positions [B], float32 [B, D_in]."""
        taken = self._read(rows if self.numbers is None else self.numbers[rows])
        # These rows are a copy, so they may be scaled in place.
        return taken if self.divisor == 1 else taken.div_(self.divisor)

    def take(self, rows: Tensor) -> RowView:
        """Return a view on the rows at positions [B]."""
        return replace(self, numbers=rows if self.numbers is None else self.numbers[rows])

    def blocks(self) -> Iterator[Tensor]:
        """Yield all rows in order, at most `BLOCK` at a time."""
        for start in range(0, max(1, len(self)), self._block):
            place = slice(start, start + self._block)
            yield self._scaled(self._read(place if self.numbers is None else self.numbers[place]))

    def all(self, what: str) -> RowView:
        """Return the view itself, for `what`, which needs all rows in memory at once.

        Raises
        ------
        EvenhandError
            If the rows are in a store.
        """
        if isinstance(self.array, StoredRows):
            raise EvenhandError(
                f"{what} takes all {len(self)} rows of features at once, but they are read from the store in "
                "blocks; fit on an array in memory, or leave it out"
            )
        return self

    @property
    def _block(self) -> int:
        """Rows per block; fewer where rows are wide and copied from a store."""
        copied = isinstance(self.array, StoredRows)
        return max(1, min(BLOCK, VALUES // self.array.shape[1])) if copied else BLOCK

    def _read(self, rows: Tensor | slice) -> Tensor:
        if not isinstance(self.array, Tensor):
            read = torch.from_numpy(self.array[rows if isinstance(rows, slice) else rows.numpy()])
            return read.to(self.device)
        # index_select takes a third of the time of indexing.
        if isinstance(rows, slice):
            return self.array[rows]
        return self.array.index_select(0, rows.to(self.device))

    def _scaled(self, h: Tensor) -> Tensor:
        return h if self.divisor == 1 else h / self.divisor
