"""CSV, Parquet and JSON-lines tables as columns of strings."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass, replace
from io import TextIOWrapper
from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.file_names import TABLES
from evenhand.data.files import is_remote, names_below
from evenhand.data.labels import some
from evenhand.data.parquet_cells import bytes_columns
from evenhand.data.places import open_file
from evenhand.data.tables.arrow_columns import plain_column
from evenhand.data.tables.arrow_files import read_arrow
from evenhand.data.tables.cells import strings
from evenhand.data.tables.text import read_text_table

LONGEST = 4096
"""Characters of a value at most, as of a path: one longer value would widen every row of its column."""


@dataclass(frozen=True)
class Columns:
    """A table whose values are all strings; the empty string means missing.

    Attributes
    ----------
    path : Path
        The file it comes from.
    values : dict of str to str [N]
        Column by column, in the file's order, without those that hold lists, records or bytes.
    embedded : tuple of str
        Columns that hold files as bytes, alone or in a record as the Hugging Face Hub's Parquet files do.
    too_long : tuple of str
        Columns that are left out for a value of more than `LONGEST` characters.
    notes : tuple of str
        What was left out, one sentence each.
    """

    path: Path
    values: dict[str, Strings]
    embedded: tuple[str, ...] = ()
    too_long: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.values.values()), ()))

    def get(self, column: str, *, argument: str) -> Strings:
        """Return one column.

        Raises
        ------
        EvenhandError
            If there is none of this name, the sentence names those that exist, or it has too long a value.
        """
        if column in self.too_long:
            raise EvenhandError(
                f"{argument}: {self.path} has a value of more than {LONGEST} characters in column "
                f"{column!r}; shorten it or name another column"
            )
        if column not in self.values:
            raise EvenhandError(
                f"{argument}: {self.path} has no column {column!r}; "
                f"its columns are {some(self.values)}; name one of them"
            )
        return self.values[column]

    def filled(self, column: str, *, argument: str) -> Strings:
        """Return one column that has a value in every row.

        Raises
        ------
        EvenhandError
            If there is none of this name, or it has a gap; the sentence names the first such row.
        """
        values = self.get(column, argument=argument)
        gaps = np.flatnonzero(values == "")
        if len(gaps):
            count = f"{len(gaps)} such rows, the first is " if len(gaps) > 1 else ""
            raise EvenhandError(
                f"{argument}: {self.path} has no value in column {column!r} at {count}row {gaps[0] + 1} of "
                f"{len(values)}; fill it in or drop the row{'s' if count else ''}"
            )
        return values


def read_columns(path: Path) -> Columns:
    """Read a table file, or a folder of its parts as Spark writes it.

    Parameters
    ----------
    path : Path
        `.csv`, `.tsv` or `.txt` as `read_text_table` reads them, `.parquet`, `.arrow` or `.jsonl`; or a
        folder of `part-…` files of one of these. A folder `name=value` in it makes a column.

    Raises
    ------
    EvenhandError
        If the suffix is another, the file cannot be read, names a column twice, or has no rows.
    """
    files = part_files(path)
    if not files:
        return _columns(path, _read(path))
    parts = [_with_folders(_read(file), file.relative_to(path)) for file in files]
    for file, part in zip(files, parts, strict=True):
        if part.column_names != parts[0].column_names:
            raise EvenhandError(f"{file} has other columns than {files[0]}; make them the same")
    return _columns(path, pa.concat_tables(parts, promote_options="permissive"))


def part_files(path: Path) -> list[Path]:
    """Return the parts of a table that is a folder on this machine; none of any other folder or file.

    One is known by Spark's `_SUCCESS`, or by names that all begin with `part`.
    """
    if is_remote(path) or not path.is_dir():
        return []
    done = (path / "_SUCCESS").is_file()
    found = []
    for name in names_below(path):
        # At the first other file the walk ends: a folder of images may be large.
        if is_part(name, done=done):
            found.append(path / name)
        elif not _is_marker(name):
            return []
    return sorted(found)


def is_part(name: str, *, done: bool) -> bool:
    """Tell whether a file is a part of a table, of which `done` says whether Spark's `_SUCCESS` is there."""
    last = PurePosixPath(name)
    return last.suffix.lower() in TABLES and not _is_marker(name) and (done or last.name.startswith("part"))


def _is_marker(name: str) -> bool:
    return PurePosixPath(name).name.startswith("_")


def _read(path: Path) -> pa.Table:
    text = dict.fromkeys((".csv", ".tsv", ".txt"), read_text_table)
    binary = {".parquet": _read_parquet, ".arrow": _read_arrow, ".jsonl": _read_jsonl}
    reader = {**text, **binary}.get(path.suffix.lower())
    if reader is None:
        sheet = path.suffix.lower() in (".xlsx", ".xls", ".ods", ".numbers")
        advice = "save the sheet as CSV UTF-8, or " if sheet else ""
        raise EvenhandError(
            f"{path} is no table evenhand reads; {advice}give a folder or one of {', '.join(TABLES)}"
        )
    try:
        return reader(path)
    except (OSError, ValueError, OverflowError, RecursionError, csv.Error, pa.ArrowException) as error:
        told = (isinstance(error, OSError) and error.strerror) or str(error)
        reason = shorten(told, 200, placeholder=" …")
        raise EvenhandError(f"cannot read the table {path}: {reason}") from error


def _with_folders(table: pa.Table, place: Path) -> pa.Table:
    """Return a part with a column for each folder `name=value` that it lies in."""
    for folder in place.parts[:-1]:
        name, equals, value = folder.partition("=")
        if equals and name not in table.column_names:
            table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table


def columns_of(path: Path, rows: list[dict[str, Any]]) -> Columns:
    """Return records as columns; a name that one lacks is missing there.

    Raises
    ------
    EvenhandError
        As `read_columns`.
    """
    return _columns(path, _of_records(rows))


def _columns(path: Path, table: pa.Table) -> Columns:
    names = [name.strip() for name in table.column_names]
    twice = sorted(name for name, count in Counter(names).items() if count > 1 and name)
    if twice:
        raise EvenhandError(f"the table {path} names the column {twice[0]!r} twice; rename one")
    if table.num_rows == 0:
        raise EvenhandError(f"the table {path} has no rows; it needs one row per image")
    embedded = tuple(name.strip() for name in bytes_columns(table.schema))
    columns = {
        name: _plain(path, name, table.column(index))
        for index, name in enumerate(names)
        if name not in embedded
    }
    too_long = tuple(name for name, column in columns.items() if _is_too_long(column))
    values = {
        name: strings(column)
        for name, column in columns.items()
        if name not in too_long and not pa.types.is_nested(column.type)
    }
    return Columns(path, values, embedded, too_long)


def _plain(path: Path, name: str, column: pa.ChunkedArray) -> pa.Array:
    try:
        return plain_column(column)
    except (ValueError, pa.ArrowException) as error:
        reason = shorten(str(error), 200, placeholder=" …")
        raise EvenhandError(
            f"the table {path} has values in column {name!r} that cannot be read ({reason}); "
            "write them again, or leave the column out"
        ) from error


def without_empty_rows(columns: Columns) -> Columns:
    """Return the columns without rows that hold nothing at all, as Excel leaves them below a sheet.

    Not for a table beside features: its rows are counted.
    """
    if columns.embedded or not columns.values:
        return columns
    kept = np.any([values != "" for values in columns.values.values()], axis=0)
    empty = int((~kept).sum())
    if not empty or empty == len(columns):
        return columns
    values = {name: column[kept] for name, column in columns.values.items()}
    note = f"{empty} of {len(columns)} rows of {columns.path} are empty and are left out"
    return replace(columns, values=values, notes=(note,))


def _is_too_long(column: pa.Array) -> bool:
    texts = column.dictionary if pa.types.is_dictionary(column.type) else column
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return False
    return (pc.max(pc.utf8_length(texts)).as_py() or 0) > LONGEST


def _read_parquet(path: Path) -> pa.Table:
    with open_file(path) as stream:
        opened = pq.ParquetFile(stream)
        schema = opened.schema_arrow
        embedded = bytes_columns(schema)
        read = opened.read([name for name in schema.names if name not in embedded])
    for name in embedded:  # by name alone: their bytes may be many times what memory holds
        read = read.append_column(name, pa.nulls(len(read), schema.field(name).type))
    return _named(read.select(schema.names))


def _read_arrow(path: Path) -> pa.Table:
    table = read_arrow(path)
    for name in bytes_columns(table.schema):
        column = pa.nulls(len(table), table.schema.field(name).type)
        table = table.set_column(table.column_names.index(name), name, column)
    return _named(table)


def _named(table: pa.Table) -> pa.Table:
    """Return a table with the class names that the Hugging Face Hub's files keep beside the numbers."""
    try:
        about = json.loads((table.schema.metadata or {}).get(b"huggingface", b"{}"))
        features = dict(about["info"]["features"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return table
    for name, feature in features.items():
        names = feature.get("names") if isinstance(feature, dict) else None
        if name in table.column_names and isinstance(names, list) and names:
            codes = table[name].to_pylist()
            words = [
                names[code] if isinstance(code, int) and 0 <= code < len(names) else None for code in codes
            ]
            table = table.set_column(table.column_names.index(name), name, pa.array(words, pa.string()))
    return table


def _read_jsonl(path: Path) -> pa.Table:
    with TextIOWrapper(open_file(path), encoding="utf-8-sig") as text:
        rows: list[dict[str, Any]] = [json.loads(line) for line in text if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("every line must be an object")
    return _of_records(rows)


def _of_records(rows: list[dict[str, Any]]) -> pa.Table:
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _json_column([row.get(name) for row in rows]) for name in names})


def _json_column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # numbers and words in one column
        return pa.array([None if value is None else str(value) for value in values])
