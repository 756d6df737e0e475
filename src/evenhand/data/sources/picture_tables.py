"""Parquet and Arrow files that hold the images themselves, one file or a folder of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.file_names import IMAGE_TABLES
from evenhand.data.files import open_bytes
from evenhand.data.labels import some
from evenhand.data.sources.listing import Listing, Options
from evenhand.data.sources.table_rows import PATH_COLUMNS, list_rows
from evenhand.data.split_names import SPLIT_NAMES, split_in_name
from evenhand.data.tables.arrow_files import read_arrow
from evenhand.data.tables.columns import Columns
from evenhand.data.tables.parts import folder_columns
from evenhand.data.tables.read import read_columns
from evenhand.data.tables.schema import NAMES, bytes_columns, columns_of_type, picture_column, read_schema


def list_picture_tables(root: Path, files: Sequence[Path], options: Options, *, alone: bool) -> Listing:
    """List the rows of tables; ids are the file's name below `root` and the row's number.

    The split is a column, or unless a file is `alone`, a word in its name or folders. Folders that are called
    `column=value`, as Spark's, are columns.

    Raises
    ------
    EvenhandError
        If a file cannot be read, a label is missing, or a named column is.
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
    """Return the column of labels: the only one of classes where none is called `label`."""
    classes = columns_of_type(read_schema(file), "ClassLabel")
    return classes[0] if options.label == "label" not in names and len(classes) == 1 else options.label


def holds_pictures(path: Path) -> bool:
    """Return whether a file is a Parquet or Arrow file with a column of images."""
    if path.suffix.lower() not in IMAGE_TABLES:
        return False
    try:
        schema = read_schema(path)
    except (OSError, pa.ArrowException):
        return False
    leaf = picture_column(schema)
    if leaf is None:
        return False
    # Bytes next to a path are images only if they are called so: they may be anything.
    has_paths = any(name.strip().lower() in PATH_COLUMNS for name in schema.names if name != leaf.column)
    return not has_paths or leaf.column.strip().lower() in NAMES


def check_one_set(folder: Path, tables: Sequence[Path]) -> None:
    """Refuse folders that hold the configurations of a data set, each a set of its own, side by side.

    Raises
    ------
    EvenhandError
        If there are several, and tables of one name in two of them.
    """
    places = {table.relative_to(folder).parent for table in tables}
    sets = {_without_splits(place) for place in places}
    twice = len({table.name for table in tables}) < len(tables)
    if len(sets) > 1 and twice:
        raise EvenhandError(
            f"{folder} holds several data sets, in {some(sorted(map(str, sets)))}; give one of these folders"
        )


def _without_splits(place: Path) -> PurePosixPath:
    # As in "label=cat": not a set, but what a column of it says.
    kept = (part for part in place.parts if part.lower() not in SPLIT_NAMES and "=" not in part)
    return PurePosixPath(*kept)


def _nested(schema: pa.Schema) -> tuple[str, ...]:
    """Return the columns of lists and records that hold no bytes."""
    with_bytes = bytes_columns(schema)
    return tuple(one.name for one in schema if pa.types.is_nested(one.type) and one.name not in with_bytes)


def _rows(path: Path) -> int:
    if path.suffix.lower() == ".arrow":
        return len(read_arrow(path))
    with open_bytes(path) as stream:
        return int(pq.read_metadata(stream).num_rows)


def _columns(root: Path, file: Path, *, split: bool) -> dict[str, Strings]:
    place = file.relative_to(root).as_posix()
    rows = _rows(file)
    own: dict[str, Strings] = {"file_name": np.asarray([f"{place}/{row}" for row in range(rows)])}
    if told := split_in_name(place) if split else None:
        own["split"] = np.full(rows, told)
    own |= {name: np.full(rows, value) for name, value in folder_columns(file.relative_to(root)).items()}
    return {**own, **{name: of for name, of in read_columns(file).values.items() if name != "file_name"}}
