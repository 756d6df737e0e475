"""Parquet and Arrow files that hold the images themselves: one file, or several in a folder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from evenhand._typing import Strings
from evenhand.data.files import open_bytes
from evenhand.data.sources.listing import Listing, Options
from evenhand.data.sources.table_rows import list_rows
from evenhand.data.split_names import split_in_name
from evenhand.data.tables.arrow_files import read_arrow
from evenhand.data.tables.columns import Columns
from evenhand.data.tables.parts import folder_columns
from evenhand.data.tables.read import read_columns
from evenhand.data.tables.schema import bytes_columns, columns_of_type, read_schema


def list_picture_tables(root: Path, files: Sequence[Path], options: Options, *, alone: bool) -> Listing:
    """List the rows of tables. Each id is the path of the file below `root`, then the number of the row.

    The split is a column, or else a word in the name or the folders of a file. A file that is `alone` has no
    split by its name. Folders called `column=value`, as Spark writes them, are columns.

    Raises
    ------
    EvenhandError
        If a file cannot be read, or a label or a column that the user named is missing.
    """
    tables = [_columns(root, file, split=not alone) for file in files]
    names = dict.fromkeys(name for table in tables for name in table)
    values = {
        name: np.concatenate([table.get(name, np.full(len(table["file_name"]), "")) for table in tables])
        for name in names
    }
    columns = Columns(root / "the tables with images", values, nested=_nested(read_schema(files[0])))
    return list_rows(columns, replace(options, label=_label(files[0], values, options)))


def _label(file: Path, names: Collection[str], options: Options) -> str:
    """Return the column of labels: if none is called `label`, the only one of the Hub's type ClassLabel."""
    classes = columns_of_type(read_schema(file), "ClassLabel")
    return classes[0] if options.label == "label" not in names and len(classes) == 1 else options.label


def _nested(schema: pa.Schema) -> tuple[str, ...]:
    """Return the columns of lists and records that hold no image."""
    with_bytes = bytes_columns(schema)
    return tuple(one.name for one in schema if pa.types.is_nested(one.type) and one.name not in with_bytes)


def _rows(path: Path) -> int:
    """Return the number of rows of a file."""
    if path.suffix.lower() == ".arrow":
        return len(read_arrow(path))
    with open_bytes(path) as stream:
        return int(pq.read_metadata(stream).num_rows)


def _columns(root: Path, file: Path, *, split: bool) -> dict[str, Strings]:
    """Return the columns of a file, with ids as `file_name`, and what its name and folders tell."""
    place = file.relative_to(root).as_posix()
    rows = _rows(file)
    own: dict[str, Strings] = {"file_name": np.asarray([f"{place}/{row}" for row in range(rows)])}
    if told := split_in_name(place) if split else None:
        own["split"] = np.full(rows, told)
    own |= {name: np.full(rows, value) for name, value in folder_columns(file.relative_to(root)).items()}
    return {**own, **{name: of for name, of in read_columns(file).values.items() if name != "file_name"}}
