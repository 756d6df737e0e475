"""Pictures held as bytes in Parquet files, alone or in a record as the Hugging Face Hub's files do.

A picture is named by the file's path followed by the number of its row, as if the file were a folder.
"""

from __future__ import annotations

import os
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from evenhand.data.files import is_file, is_remote, open_bytes, size_and_time

LARGEST = 1 << 30
"""Bytes of pictures in a row group that is read: it is held in memory whole."""
NAMES = ("image", "img", "picture", "photo", "image_bytes", "bytes", "jpg", "jpeg", "png", "webp")
_LOCK = Lock()


def split_cell(path: Path) -> tuple[Path, int] | None:
    """Return the Parquet file and the row that a path leads to; None for another path."""
    file = path.parent
    if file.suffix.lower() != ".parquet" or not path.name.isdecimal():
        return None
    return (file, int(path.name)) if is_remote(file) or is_file(file) else None


def bytes_columns(schema: pa.Schema) -> dict[str, str]:
    """Return the columns that hold bytes, each with the dotted name of the bytes themselves."""
    return {field.name: leaf for field in schema if (leaf := _leaf(field, field.name))}


def picture_column(schema: pa.Schema) -> str | None:
    """Return the dotted name of the column with pictures: one that is called so, or the only one of bytes."""
    found = bytes_columns(schema)
    named = [leaf for name, leaf in found.items() if name.strip().lower() in NAMES]
    chosen = named or (list(found.values()) if len(found) == 1 else [])
    return chosen[0] if chosen else None


def read_cell(file: Path, row: int) -> bytes:
    """Return the bytes of a picture.

    Raises
    ------
    OSError
        If the file cannot be read, has no such row or no picture in it, or row groups that are too large.
    """
    try:
        # Row groups are read whole: rows are asked for in order, by threads that share them.
        with _LOCK:
            opened = _opened(file, size_and_time(file), os.getpid())
            group = opened.group_of(row)
            cells = _group(file, size_and_time(file), os.getpid(), group)
        content = cells[row - opened.starts[group]].as_py()
    except (pa.ArrowException, IndexError) as error:
        raise OSError(f"cannot be read from its Parquet file ({error})") from error
    if content is None:
        raise OSError("no picture in this row")
    found: bytes = content
    return found


def cell_size(file: Path, row: int) -> int:
    """Return a row's share of the bytes of the file's pictures: those of its row group, for the first row.

    Raises
    ------
    OSError
        If the file cannot be read or has no such row.
    """
    try:
        with _LOCK:
            opened = _opened(file, size_and_time(file), os.getpid())
        group = opened.group_of(row)
        return opened.bytes_of(group, "total_compressed_size") if row == opened.starts[group] else 0
    except (pa.ArrowException, IndexError) as error:
        raise OSError(f"cannot be read as a Parquet file ({error})") from error


class _Opened:
    def __init__(self, file: Path) -> None:
        self.file = pq.ParquetFile(open_bytes(file))
        column = picture_column(self.file.schema_arrow)
        if column is None:
            raise OSError("its Parquet file has no column of pictures")
        self.column = column
        meta = self.file.metadata
        self.starts = [0, *accumulate(meta.row_group(k).num_rows for k in range(meta.num_row_groups))]
        paths = [meta.schema.column(k).path for k in range(len(meta.schema))]
        self._number = paths.index(column)

    def group_of(self, row: int) -> int:
        if not 0 <= row < self.starts[-1]:
            raise IndexError(f"row {row} of {self.starts[-1]}")
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    def bytes_of(self, group: int, measure: str) -> int:
        return int(getattr(self.file.metadata.row_group(group).column(self._number), measure))


@lru_cache(maxsize=32)
def _opened(file: Path, status: tuple[int, int], process: int) -> _Opened:  # noqa: ARG001
    return _Opened(file)


@lru_cache(maxsize=2)
def _group(file: Path, status: tuple[int, int], process: int, group: int) -> Any:
    opened = _opened(file, status, process)
    size = opened.bytes_of(group, "total_uncompressed_size")
    if size > LARGEST:
        raise OSError(
            f"its row group has {size >> 20} MiB of pictures, more than {LARGEST >> 20}; write the file "
            "again with smaller ones"
        )
    cells = opened.file.read_row_group(group, columns=[opened.column], use_threads=False).column(0)
    for name in opened.column.split(".")[1:]:
        cells = pa.chunked_array([chunk.field(name) for chunk in cells.chunks])
    return cells


def _leaf(field: pa.Field, name: str) -> str | None:
    if pa.types.is_struct(field.type):
        inside = (_leaf(inner, f"{name}.{inner.name}") for inner in field.type)
        return next((leaf for leaf in inside if leaf), None)
    return name if field.type in (pa.binary(), pa.large_binary()) else None
