"""A Parquet file as a table."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def read_parquet(path: Path) -> pa.Table:
    """Return all of a file; `pyarrow.parquet.read_table` would import pandas for it, where it is installed.

    Raises
    ------
    OSError, pyarrow.ArrowException
        If it cannot be read.
    """
    with pq.ParquetFile(path) as file:
        return file.read()
