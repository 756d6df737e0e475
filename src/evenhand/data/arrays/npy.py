"""`.npy` files whose headers are not trusted: mapped into memory, or read row by row."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Floats

_BFLOAT16 = np.dtype("V2")
"""What NumPy, which has no bfloat16 of its own, reads in place of it."""


def map_npy(path: Path) -> Any:
    """Return the array of a `.npy` file, memory-mapped for reading.

    Raises
    ------
    OSError
        If the file cannot be opened, or is a pipe or the like.
    ValueError
        If it holds no array, or fewer bytes than its header promises.
    """
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise OSError("it is not a regular file")
    try:
        with np.errstate(over="ignore"):  # of a header that promises more than there is in the world
            return np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # NumPy's reader of headers lets errors of many kinds out
        raise ValueError(" ".join(str(error).split()) or "it holds no array") from error


@dataclass(frozen=True)
class NpyRows:
    """The rows of a `.npy` file, read when they are asked for.

    Not mapped: a process that looks at a mapped file which another one cuts meanwhile is killed.

    Attributes
    ----------
    path : Path
        The file.
    shape : (int, int)
        Rows and width.
    stored : dtype
        Of the numbers in the file.
    offset : int
        Where they start.
    by_columns : bool
        Whether the file holds column after column.
    """

    path: Path
    shape: tuple[int, ...]
    stored: np.dtype[Any]
    offset: int
    by_columns: bool

    @classmethod
    def open(cls, path: Path) -> NpyRows:
        """Read the header; raises as `map_npy`."""
        found = map_npy(path)
        if not isinstance(found, np.memmap):
            raise ValueError("it is not an .npy file")
        by_columns = not found.flags.c_contiguous
        return cls(path, found.shape, found.dtype, int(found.offset), by_columns)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return int(np.prod(self.shape, dtype=object))

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the rows: float32 where the file holds bfloat16."""
        return np.dtype(np.float32) if self.stored == _BFLOAT16 else self.stored

    def __getitem__(self, rows: slice) -> Floats:
        """Return consecutive rows.

        Raises
        ------
        EvenhandError
            If the file has become shorter since it was opened.
        """
        start, stop, _ = rows.indices(len(self))
        n, width = stop - start, self.shape[1]
        with self.path.open("rb") as file:
            if self.by_columns:
                columns = [self._read(file.fileno(), k * len(self) + start, n) for k in range(width)]
                read = np.stack(columns, axis=1)
            else:
                read = self._read(file.fileno(), start * width, n * width).reshape(n, width)
        if self.stored != _BFLOAT16:
            return read
        # The upper half of a float32.
        widened: Floats = (read.view("<u2").astype("<u4") << 16).view("<f4")
        return widened

    def _read(self, handle: int, first: int, count: int) -> Any:
        size = self.stored.itemsize
        wanted, found = count * size, b""
        while len(found) < wanted:  # the system gives 2 GiB at a time
            more = os.pread(handle, wanted - len(found), self.offset + first * size + len(found))
            if not more:
                raise EvenhandError(
                    f"{self.path} became shorter while it was read; wait until it is complete, and try again"
                )
            found += more
        return np.frombuffer(found, dtype=self.stored)
