"""CSV, Parquet, JSON-lines and Excel tables as columns of strings."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from textwrap import shorten
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from evenhand._errors import EvenhandError
from evenhand.data.file_names import SHEETS, TABLES, WORKBOOKS, foreign, suffix, table_suffix
from evenhand.data.places import open_file
from evenhand.data.tables.arrow_files import read_arrow
from evenhand.data.tables.columns import Columns, to_columns
from evenhand.data.tables.parts import part_files, with_folder_columns
from evenhand.data.tables.schema import bytes_columns, hub_features
from evenhand.data.tables.sheets import read_sheet
from evenhand.data.tables.text import read_text_table
from evenhand.data.tables.unpacked import unpacked


def read_columns(path: Path) -> Columns:
    """Read a table file, or a folder of its parts as Spark writes it.

    Parameters
    ----------
    path : Path
        `.csv`, `.tsv` or `.txt` as `read_text_table` reads them, `.jsonl` or `.json`, all of these also
        compressed (`.csv.gz`); `.parquet`, `.arrow` or `.feather`; `.xlsx` as `read_sheet` reads it; or
        a folder of `part-…` files of one of these. A folder `name=value` in it makes a column.

    Raises
    ------
    EvenhandError
        If the suffix is another, the file cannot be read, names a column twice, or has no rows.
    """
    files = part_files(path)
    if not files:
        return to_columns(path, _read(path))
    parts = [with_folder_columns(_read(file), file.relative_to(path)) for file in files]
    for file, part in zip(files, parts, strict=True):
        if part.column_names != parts[0].column_names:
            raise EvenhandError(f"{file} has different columns from {files[0]}; make them the same")
    return to_columns(path, pa.concat_tables(parts, promote_options="permissive"))


def _read(path: Path) -> pa.Table:
    text = dict.fromkeys((".csv", ".tsv", ".txt"), read_text_table)
    objects = dict.fromkeys((".jsonl", ".ndjson", ".json"), _read_json)
    binary = {".parquet": _read_parquet, ".arrow": _read_arrow, ".feather": _read_arrow}
    books = dict.fromkeys(WORKBOOKS, read_sheet)
    reader = {**text, **objects, **binary, **books}.get(table_suffix(path.name))
    if reader is None:
        advice = "save the sheet as CSV UTF-8, or " if suffix(path.name) in SHEETS else ""
        if kind := foreign(path.name):
            advice = f"it is {kind}: write the images to files, or with their labels to Parquet; or "
        raise EvenhandError(
            f"{path} is not a table evenhand reads; {advice}give a folder or one of {', '.join(TABLES)}"
        )
    try:
        return reader(path)
    except (OSError, ValueError, OverflowError, RecursionError, csv.Error, pa.ArrowException) as error:
        told = (isinstance(error, OSError) and error.strerror) or str(error)
        reason = shorten(told, 200, placeholder=" …")
        advice = "; or save its sheet as .csv" if reader is read_sheet else ""
        raise EvenhandError(f"cannot read the table {path}: {reason}{advice}") from error


def columns_of(path: Path, rows: list[dict[str, Any]]) -> Columns:
    """Return records as columns; a record that lacks a name has a missing value there.

    Raises
    ------
    EvenhandError
        As `read_columns`.
    """
    return to_columns(path, _of_records(rows))


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
    """Return a table with the class names that the Hugging Face Hub's files keep next to the numbers."""
    for name, feature in hub_features(table.schema).items():
        names = feature.get("names")
        if name in table.column_names and isinstance(names, list) and names:
            codes = table[name].to_pylist()
            words = [
                names[code] if isinstance(code, int) and 0 <= code < len(names) else None for code in codes
            ]
            table = table.set_column(table.column_names.index(name), name, pa.array(words, pa.string()))
    return table


def _read_json(path: Path) -> pa.Table:
    rows = _objects(unpacked(path).decode("utf-8-sig"))
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("it must hold a list of objects, or an object a line")
    if len(rows) == 1 and all(isinstance(value, (dict, list)) for value in rows[0].values()):
        raise ValueError(_no_rows(rows[0]))
    return _of_records(rows)


def _objects(text: str) -> Any:
    """Return the list that a text holds, or the objects of its lines; an object may be over many lines."""
    if text.lstrip().startswith("["):
        return json.loads(text)
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.split("\n") if line.strip()]


def _no_rows(found: dict[str, Any]) -> str:
    """Return what one object is, all of whose values are objects or lists, and what to do."""
    if {"images", "annotations", "categories"} <= set(found):
        return (
            "it is COCO JSON, which labels objects in an image; write a CSV with the columns file_name and "
            "label, one line per image"
        )
    return "it is one object, no list of rows; write one object per image (pandas: orient='records')"


def _of_records(rows: list[dict[str, Any]]) -> pa.Table:
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _json_column([row.get(name) for row in rows]) for name in names})


def _json_column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # numbers and words in one column
        if any(isinstance(value, (dict, list)) for value in values):
            return pa.array([[json.dumps(value)] for value in values])  # left out and named, as records are
        return pa.array([None if value is None else str(value) for value in values])
