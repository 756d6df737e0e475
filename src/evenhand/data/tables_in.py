"""CSV, Parquet and JSON-lines tables as columns of strings."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.archives import open_file
from evenhand.data.arrow_columns import plain_column
from evenhand.data.arrow_files import read_arrow
from evenhand.data.labels import some
from evenhand.data.parquet_cells import bytes_columns

SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl")
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
    """

    path: Path
    values: dict[str, Strings]
    embedded: tuple[str, ...] = ()
    too_long: tuple[str, ...] = ()

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
            raise EvenhandError(
                f"{argument}: {self.path} has no value in column {column!r} at row {gaps[0] + 1} of "
                f"{len(values)}; fill it in or drop the row"
            )
        return values


def read_columns(path: Path) -> Columns:
    """Read a table file.

    Parameters
    ----------
    path : Path
        `.csv` (comma or semicolon), `.tsv`, `.parquet`, `.arrow` or `.jsonl`.

    Raises
    ------
    EvenhandError
        If the suffix is another, the file cannot be read, names a column twice, or has no rows.
    """
    readers = {
        **{".csv": _read_csv, ".tsv": _read_csv, ".parquet": _read_parquet, ".jsonl": _read_jsonl},
        ".arrow": _read_arrow,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise EvenhandError(
            f"{path} is no table evenhand reads; give a folder or one of {', '.join(SUFFIXES)}"
        )
    try:
        table = reader(path)
    except (OSError, ValueError, OverflowError, RecursionError, csv.Error, pa.ArrowException) as error:
        reason = shorten(str(error), 200, placeholder=" …")
        raise EvenhandError(f"cannot read the table {path}: {reason}") from error
    return _columns(path, table)


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
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
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
        name: _strings(column)
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
            f"the table {path} has values in column {name!r} that cannot be told ({reason}); "
            "write them again, or leave the column out"
        ) from error


def _is_too_long(column: pa.Array) -> bool:
    texts = column.dictionary if pa.types.is_dictionary(column.type) else column
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return False
    return (pc.max(pc.utf8_length(texts)).as_py() or 0) > LONGEST


def _read_csv(path: Path) -> pa.Table:
    with TextIOWrapper(open_file(path), encoding="utf-8-sig", newline="") as text:
        first = text.readline()
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ";" if ";" in first and "," not in first else ","
    names = next(csv.reader([first], delimiter=delimiter), [])
    # Read as text: "01" is a class of its own, and "NA" may be one.
    with open_file(path) as stream:
        return pa_csv.read_csv(
            stream,
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )


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


def _strings(column: pa.Array) -> Strings:
    if pa.types.is_floating(column.type):
        return np.asarray([_number(value) for value in column.to_pylist()], dtype=np.str_)
    values = ["" if value is None else str(value).strip() for value in column.to_pylist()]
    return np.asarray(["" if value.lower() == "nan" else value for value in values], dtype=np.str_)


def _number(value: float | None) -> str:
    """Return 1.0 as "1": whole numbers turn into floats wherever a value of their column is missing."""
    if value is None or np.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() else str(value)
