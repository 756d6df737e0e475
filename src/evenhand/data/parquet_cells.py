"""Images held as bytes in Parquet and Arrow files, alone or in a record as the Hugging Face Hub's files do.

An image is named by the file's path followed by the number of its row, as if the file were a folder.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from evenhand.data.file_names import IMAGE_TABLES
from evenhand.data.files import is_file, is_remote, open_bytes, size_and_time
from evenhand.data.tables.arrow_files import read_arrow
from evenhand.data.tables.schema import picture_column

LARGEST = 1 << 30
"""Bytes of images in a row group that is read: it is held in memory whole."""
_LOCK = Lock()


def split_cell(path: Path) -> tuple[Path, int] | None:
    """Return the Parquet or Arrow file and the row that a path leads to; None for another path."""
    file = path.parent
    if file.suffix.lower() not in IMAGE_TABLES or not (path.name.isascii() and path.name.isdecimal()):
        return None
    return (file, int(path.name)) if is_remote(file) or is_file(file) else None


def read_cell(file: Path, row: int) -> bytes:
    """Return the bytes of an image.

    Raises
    ------
    OSError
        If the file cannot be read, has no such row or not one image in it, or its row groups
        are too large.
    """
    try:
        # Row groups are read whole: rows are asked for in order, by threads that share them.
        with _LOCK:
            opened = _opened(file, size_and_time(file), os.getpid())
            group = opened.group_of(row)
            cells = _group(file, size_and_time(file), os.getpid(), group)
        content = _bytes_in(cells[row - opened.starts[group]], opened.leaf.steps)
    except (pa.ArrowException, IndexError) as error:
        raise OSError(f"cannot be read from its {_kind(file)} file ({error})") from error
    if content is None:
        raise OSError(
            "no image in this row; if the row has only its path, write a CSV of the paths and labels"
        )
    return content


def cell_size(file: Path, row: int) -> int:
    """Return a row's share of the bytes of the file's images: those of its row group, for the first row.

    Raises
    ------
    OSError
        If the file cannot be read or has no such row.
    """
    try:
        with _LOCK:
            opened = _opened(file, size_and_time(file), os.getpid())
        group = opened.group_of(row)
        return opened.bytes_of(group) if row == opened.starts[group] else 0
    except (pa.ArrowException, IndexError) as error:
        raise OSError(f"cannot be read as a {_kind(file)} file ({error})") from error


def _kind(file: Path) -> str:
    return file.suffix[1:].capitalize()


class _Opened(ABC):
    """The rows of a file in groups that are read at once."""

    def __init__(self, file: Path, schema: pa.Schema, lengths: list[int]) -> None:
        leaf = picture_column(schema)
        if leaf is None:
            raise OSError("the file that should hold it has no column of images")
        self.name, self.leaf = file, leaf
        self.starts = [0, *accumulate(lengths)]

    def group_of(self, row: int) -> int:
        if not 0 <= row < self.starts[-1]:
            raise IndexError(f"row {row} of {self.starts[-1]}")
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    @abstractmethod
    def bytes_of(self, group: int) -> int: ...

    @abstractmethod
    def cells(self, group: int) -> Any: ...


class _Parquet(_Opened):
    def __init__(self, file: Path) -> None:
        self._file = pq.ParquetFile(open_bytes(file))
        meta = self._file.metadata
        groups = [meta.row_group(k) for k in range(meta.num_row_groups)]
        super().__init__(file, self._file.schema_arrow, [group.num_rows for group in groups])
        # The names between a list and its items differ from writer to writer.
        start = ".".join([self.leaf.column, *self.leaf.steps]).split("..")[0].rstrip(".")
        end = self.leaf.steps[-1] if self.leaf.steps else ""
        paths = [meta.schema.column(k).path for k in range(len(meta.schema))]
        number = next(k for k, path in enumerate(paths) if _leads(path, start, end))
        self._path = paths[number]
        self._packed = [group.column(number).total_compressed_size for group in groups]
        self._unpacked = [group.column(number).total_uncompressed_size for group in groups]

    def bytes_of(self, group: int) -> int:
        return int(self._packed[group])

    def cells(self, group: int) -> Any:
        size = self._unpacked[group]
        if size > LARGEST:
            raise OSError(
                f"its row group has {size >> 20} MiB of images, more than {LARGEST >> 20}; write the file "
                "again with smaller ones"
            )
        return self._file.read_row_group(group, columns=[self._path], use_threads=False).column(0)


class _Arrow(_Opened):
    """One group: the file is mapped into memory, not read."""

    def __init__(self, file: Path) -> None:
        table = read_arrow(file)
        super().__init__(file, table.schema, [len(table)])
        self._cells = table.column(self.leaf.column)

    def bytes_of(self, group: int) -> int:  # noqa: ARG002
        return int(self._cells.nbytes)

    def cells(self, group: int) -> Any:  # noqa: ARG002
        return self._cells


def _leads(path: str, start: str, end: str) -> bool:
    return path == start or (path.startswith(f"{start}.") and path.rpartition(".")[2] == end)


@lru_cache(maxsize=32)
def _opened(file: Path, status: tuple[int, int], process: int) -> _Opened:  # noqa: ARG001
    return _Arrow(file) if file.suffix.lower() == ".arrow" else _Parquet(file)


@lru_cache(maxsize=2)
def _group(file: Path, status: tuple[int, int], process: int, group: int) -> Any:
    return _opened(file, status, process).cells(group)


def _bytes_in(cell: Any, steps: tuple[str, ...]) -> bytes | None:
    for step in steps:
        if not cell.is_valid:
            return None
        if step == "" and len(cell) > 1:
            raise OSError(f"a list of {len(cell)} images in this row, of which none is the image")
        if step == "" and len(cell) == 0:
            return None
        cell = cell[step or 0]
    content: bytes | None = cell.as_py()
    return content
