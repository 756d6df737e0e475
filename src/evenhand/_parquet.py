"""Parquet files and their columns, without the parts of pyarrow that import pandas, a third of a second."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

LARGEST = 2**31 - 1
"""Bytes of one Arrow array of bytes or text."""


def read_parquet(path: Path) -> pa.Table:
    """Return a whole file.

    Raises
    ------
    OSError, pyarrow.ArrowException
        If it cannot be read.
    """
    with pq.ParquetFile(path) as file:
        return file.read()


def text_column(values: Iterable[str]) -> pa.Array | pa.ChunkedArray:
    """Return a column of texts."""
    return _column([text.encode() for text in values], pa.string())


def bytes_column(values: list[bytes]) -> pa.Array | pa.ChunkedArray:
    """Return a column of bytes."""
    return _column(values, pa.binary())


def _column(values: list[bytes], kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    ends = np.cumsum([0, *map(len, values)], dtype=np.int64)
    if ends[-1] > LARGEST:
        return pa.chunked_array([pa.array(values, pa.binary())]).cast(kind)
    buffers = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(kind, len(values), buffers)
