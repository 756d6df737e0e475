"""What a table says of the rows of somebody's own embeddings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from evenhand._errors import EvenhandError
from evenhand._typing import Ints, Strings
from evenhand.data.arrays.formats import columns_of_numbers
from evenhand.data.arrays.read import file_and_name, in_part_order
from evenhand.data.kept_together import kept_together
from evenhand.data.labels import class_codes, renamed
from evenhand.data.split_file import splits_in_file
from evenhand.data.split_notes import unit_notes
from evenhand.data.splits import given_or_drawn
from evenhand.data.store_layout import OWN_COLUMNS
from evenhand.data.tables.columns import Columns
from evenhand.data.tables.read import read_columns


def rows_beside(features: Sequence[Path], table: Path | None) -> Columns:
    """Read the table, or the metadata of clip-retrieval's folders or Parquet features, in their order.

    Raises
    ------
    EvenhandError
        If there is neither, a file cannot be read, or its columns differ from those of the first.
    """
    if table is not None:
        return read_columns(table)
    files = [
        file
        for path in features
        for file in (
            in_part_order((path / "metadata").glob("*.parquet"))
            if path.is_dir()
            else [beside for beside in (file_and_name(path)[0],) if beside.suffix.lower() == ".parquet"]
        )
    ]
    if not files:
        raise EvenhandError(
            "table is missing, and features is neither a .parquet file nor a folder with metadata/*.parquet; "
            "give a CSV or Parquet"
        )
    parts = [read_columns(file) for file in files]
    for part in parts:
        if list(part.values) != list(parts[0].values):
            raise EvenhandError(f"{part.path} has different columns from {files[0]}; make them the same")
    names = [name for name in parts[0].values if name not in _numbers_of(features)]
    return Columns(files[0].parent, {name: np.concatenate([p.values[name] for p in parts]) for name in names})


def _numbers_of(features: Sequence[Path]) -> set[str]:
    """Return the columns of Parquet features that hold the features themselves."""
    alone = [path for path in features if not path.is_dir() and file_and_name(path)[1] is None]
    return {name for path in alone for name in columns_of_numbers(pq.read_schema(path))}


def named_codes(labels: Strings, class_names: Mapping[str, str]) -> tuple[tuple[str, ...], Ints]:
    """Return class names and the code of each row [N].

    A mapping that names every label gives the order of the classes; otherwise it is that of `class_codes`.

    Raises
    ------
    EvenhandError
        As `class_codes` and `renamed`.
    """
    names, y = class_codes(labels)
    new = dict(zip(names, renamed(names, class_names), strict=True))
    order = list(class_names) if set(class_names) == set(names) else names
    position = np.array([order.index(name) for name in names], dtype=np.int64)
    return tuple(new[name] for name in order), position[y]


def split_of_rows(
    columns: Columns,
    column: str,
    y: Ints,
    seed: int,
    *,
    ids: Strings,
    split_by: str | None = None,
    split_file: Path | None = None,
) -> tuple[Strings, Strings | None, list[str], bool]:
    """Return the split of each row, the units that a drawn split keeps whole, notes, and whether it is drawn.

    Splits are those of `split_file` where there is one; as `given_or_drawn`, only a column `split` may be
    missing. Units are the values of the column `split_by`.
    """
    notes: list[str] = []
    if split_file is not None:
        given, column, notes = splits_in_file(split_file, ids, column)
    elif column == "split" and column not in columns.values:
        given = None
    else:
        given = columns.filled(column, argument="split_column")
    units = None if split_by is None else columns.get(split_by, argument="split_by")
    together = kept_together([], units, len(y))
    split, more, drawn = given_or_drawn(given, y, seed=seed, column=column, units=together)
    return split, units, [*notes, *more, *unit_notes(units, split, split_by, drawn=drawn)], drawn


def row_ids(columns: Columns, column: str | None) -> Strings:
    """Return unique row names; by default from `id` or `image_path`, row numbers from 0 otherwise.

    Raises
    ------
    EvenhandError
        If the column is missing, has a gap, or has a value twice.
    """
    found = [name for name in ("id", "image_path") if name in columns.values]
    if column is None and not found:
        return np.arange(len(columns)).astype(np.str_)
    column = column or found[0]
    ids = columns.filled(column, argument="id_column")
    names, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise EvenhandError(
            f"id_column: {str(names[counts.argmax()])!r} appears {counts.max()} times in column {column!r}; "
            "every row needs an id of its own"
        )
    return ids


def attribute_rows(
    columns: Columns, names: Sequence[str], taken: Collection[str | None]
) -> dict[str, Strings]:
    """Return the columns that make groups, by name, then all others but those `taken` for something else.

    Raises
    ------
    EvenhandError
        If one that makes groups is missing, or has a name that every store has.
    """
    for name in names:
        if name in OWN_COLUMNS:
            raise EvenhandError(f"attribute_columns: {name!r} is a reserved column name; rename the column")
    named = {name: columns.get(name, argument="attribute_columns") for name in names}
    return named | {name: values for name, values in columns.values.items() if name not in taken}
