"""Parquet files that hold the pictures themselves, one file or a folder of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from evenhand._typing import Strings
from evenhand.data.files import is_dir, open_bytes
from evenhand.data.folders import all_files
from evenhand.data.listing import PATH_COLUMNS, Listing, Options, list_rows
from evenhand.data.parquet_cells import NAMES, picture_column
from evenhand.data.split_names import split_in_name
from evenhand.data.tables_in import Columns, read_columns


def picture_tables(source: Path) -> list[Path]:
    """Return the Parquet files with pictures that a file or a folder is; none for anything else.

    A folder is one if, hidden files aside, all its files are.
    """
    found = all_files(source, ".parquet") if is_dir(source) else [source]
    return found if found and all(map(_holds_pictures, found)) else []


def list_picture_tables(source: Path, files: Sequence[Path], options: Options) -> Listing:
    """List the rows of Parquet files; ids are the file's name and the row's number.

    The split is a column, or for a folder of files a word in their names or folders.

    Raises
    ------
    EvenhandError
        If a file cannot be read, a label is missing, or a named column is.
    """
    root = source if is_dir(source) else source.parent
    tables = [_columns(root, file, split=is_dir(source)) for file in files]
    names = dict.fromkeys(name for table in tables for name in table)
    values = {
        name: np.concatenate([table.get(name, np.full(len(table["file_name"]), "")) for table in tables])
        for name in names
    }
    return list_rows(Columns(root / "the Parquet files", values), options)


def _holds_pictures(path: Path) -> bool:
    if path.suffix.lower() != ".parquet":
        return False
    try:
        with open_bytes(path) as stream:
            schema = pq.read_schema(stream)
    except (OSError, pa.ArrowException):
        return False
    column = picture_column(schema)
    if column is None:
        return False
    # Bytes beside a path are pictures only if they are called so: they may be anything.
    has_paths = any(
        name.strip().lower() in PATH_COLUMNS for name in schema.names if name != column.split(".")[0]
    )
    return not has_paths or column.split(".")[0].strip().lower() in NAMES


def _columns(root: Path, file: Path, *, split: bool) -> dict[str, Strings]:
    place = file.relative_to(root).as_posix()
    with open_bytes(file) as stream:
        rows = pq.read_metadata(stream).num_rows
    told = split_in_name(place) if split else None
    own: dict[str, Strings] = {"file_name": np.asarray([f"{place}/{row}" for row in range(rows)])}
    if told:
        own["split"] = np.full(rows, told)
    return {**own, **{name: of for name, of in read_columns(file).values.items() if name != "file_name"}}
