"""A table as columns of strings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.labels import some
from evenhand.data.tables.arrow_columns import plain_column
from evenhand.data.tables.cells import strings
from evenhand.data.tables.schema import bytes_columns

LONGEST = 4096
"""Characters of a value at most, as of a path: one longer value would widen every row of its column."""


NOTE = b"evenhand.note"
"""In the metadata of a table: what its reader noted."""


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
        What was left out, or is hidden where people look, one sentence each.
    nested : tuple of str
        Columns that are left out because they hold lists or records.
    """

    path: Path
    values: dict[str, Strings]
    embedded: tuple[str, ...] = ()
    too_long: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.values.values()), ()))

    def called(self, column: str) -> str:
        """Return the column of a name, or the only one that differs from it in case; else the name."""
        alike = [name for name in self.values if name.lower() == column.lower()]
        return alike[0] if column not in self.values and len(alike) == 1 else column

    def get(self, column: str, *, argument: str) -> Strings:
        """Return one column.

        Raises
        ------
        EvenhandError
            If there is none of this name, the sentence names those that exist; or it holds what is no text.
        """
        if column in self.too_long:
            raise EvenhandError(
                f"{argument}: {self.path} has a value of more than {LONGEST} characters in column "
                f"{column!r}; shorten it or name another column, and write images that are text to files"
            )
        if column in self.embedded:
            raise EvenhandError(f"{argument}: {self.path} has bytes in column {column!r}; write them as text")
        if column in self.nested:
            raise EvenhandError(
                f"{argument}: {self.path} has lists or records in column {column!r}; write one value per row"
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


def to_columns(path: Path, table: pa.Table) -> Columns:
    """Return an Arrow table as columns of strings.

    Raises
    ------
    EvenhandError
        If two columns share a name, a value cannot be read, or there are no rows.
    """
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
    nested = tuple(name for name, column in columns.items() if pa.types.is_nested(column.type))
    values = {name: strings(column) for name, column in columns.items() if name not in (*too_long, *nested)}
    note = (table.schema.metadata or {}).get(NOTE)
    notes = () if note is None else (note.decode(),)
    return Columns(path, values, embedded, too_long, notes, nested=nested)


def _plain(path: Path, name: str, column: pa.ChunkedArray) -> pa.Array:
    try:
        return plain_column(column)
    except (ValueError, pa.ArrowException) as error:
        reason = shorten(str(error), 200, placeholder=" …")
        raise EvenhandError(
            f"the table {path} has values in column {name!r} that cannot be read ({reason}); "
            "rewrite them, or leave the column out"
        ) from error


def rows_of_images(columns: Columns) -> Columns:
    """Return the columns without rows that are none: empty ones, and headers of tables that were joined.

    Excel leaves empty rows below a sheet. Not for a table next to features: its rows are counted.
    """
    if columns.embedded or not columns.values:
        return columns
    empty = np.all([values == "" for values in columns.values.values()], axis=0)
    header = np.all([values == name for name, values in columns.values.items()], axis=0)
    lines = (
        np.all([np.char.strip(values, "-: ") == "" for values in columns.values.values()], axis=0) & ~empty
    )
    kept = ~(empty | header | lines)
    if kept.all() or not kept.any():
        return columns
    of = f"of {len(columns):,} rows of {columns.path}"
    odd = {
        (f"{of} is empty and is", f"{of} are empty and are"): int(empty.sum()),
        (f"{of} is a line of dashes and is", f"{of} are lines of dashes and are"): int(lines.sum()),
        (f"{of} repeats the header and is", f"{of} repeat the header and are"): int(header.sum()),
    }
    notes = tuple(f"{number_of(count, *told)} left out" for told, count in odd.items() if count)
    values = {name: column[kept] for name, column in columns.values.items()}
    return replace(columns, values=values, notes=(*columns.notes, *notes))


def _is_too_long(column: pa.Array) -> bool:
    texts = column.dictionary if pa.types.is_dictionary(column.type) else column
    if not (pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type)):
        return False
    return (pc.max(pc.utf8_length(texts)).as_py() or 0) > LONGEST
