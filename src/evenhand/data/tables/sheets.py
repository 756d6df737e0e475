"""Excel workbooks: the one sheet that holds something, as a table of text."""

from __future__ import annotations

import re
import warnings
from datetime import datetime, time
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import pyarrow as pa

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._optional import optional
from evenhand.data.places import open_file
from evenhand.data.tables.columns import NOTE

_OLD = b"\xd0\xcf\x11\xe0"
"""Start of files of Excel 97, and of encrypted ones."""
_DAMAGE = (BadZipFile, KeyError, TypeError, IndexError, AttributeError, SyntaxError)
"""What openpyxl raises at files that are no workbooks."""
_HIDDEN = re.compile(rb'<(\w+:)?row\b[^>]*\bhidden="(1|true)"')


def read_sheet(path: Path) -> pa.Table:
    """Read the only visible sheet of a workbook that holds anything; all values are strings.

    Titles may stand above the header; empty rows and columns are left out. A formula counts as the value that
    was computed when the file was saved, a cell with an error such as #N/A as missing, and a number with the
    format 000 has its leading zeros. Rows that are hidden, as a filter does, are read; a note tells them.

    Raises
    ------
    OSError, ValueError
        If openpyxl is not installed, the file is no workbook, several sheets hold something, or its formulas
        were never computed.
    """
    try:
        openpyxl = optional("openpyxl", "excel")
    except EvenhandError as error:
        raise ValueError(str(error)) from error
    with open_file(path) as stream:
        content = stream.read()
    if content.startswith(_OLD):
        raise ValueError("it has a password, or is an Excel 97 file; save it as .xlsx without a password")
    try:
        values = _filled(openpyxl, content, data_only=True)
        if len(values) > 1:
            raise ValueError(f"its sheets {', '.join(map(repr, values))} all have content; keep one of them")
        for name, rows in values.items():
            _check_computed(rows, _filled(openpyxl, content, data_only=False)[name])
            hidden = _hidden(openpyxl, content, name)
            told = number_of(
                hidden, "row is hidden, as by a filter, and is", "rows are hidden, as by a filter, and are"
            )
            return _table(rows, f"{path}: {told} read like the others" if hidden else None)
    except _DAMAGE as error:
        raise ValueError(f"it is not a workbook of Excel ({' '.join(str(error).split())})") from error
    return pa.table({})


def _filled(openpyxl: Any, content: bytes, *, data_only: bool) -> dict[str, list[list[str]]]:
    """Return the texts of each visible sheet, row by row, where there are any."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what concerns the looks alone
        book = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=data_only)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        for sheet in sheets:
            sheet.reset_dimensions()  # programs write wrong ones
        found = {
            sheet.title: [[_text(cell) for cell in row] for row in sheet.iter_rows()] for sheet in sheets
        }
    return {name: rows for name, rows in found.items() if any(map(any, rows))}


def _text(cell: Any) -> str:
    """Return the text that stands for a cell."""
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is int and re.fullmatch("0+", cell.number_format):
        return str(value).zfill(len(cell.number_format))
    return str(value)


def _check_computed(values: list[list[str]], formulas: list[list[str]]) -> None:
    """Refuse formulas of which none has a value: the program that wrote them computes nothing.

    Raises
    ------
    ValueError
        If so.
    """
    pairs = [
        pair
        for row, written in zip_longest(values, formulas, fillvalue=())
        for pair in zip_longest(row, written, fillvalue="")
        if pair[1].startswith("=") and pair[0] != pair[1]
    ]
    if pairs and not any(value for value, _ in pairs):
        raise ValueError(f"its formulas, as {pairs[0][1]}, have no values; open it in Excel and save it")


def _hidden(openpyxl: Any, content: bytes, name: str) -> int:
    """Return how many rows of a sheet that hold something are hidden."""
    with ZipFile(BytesIO(content)) as parts:
        sheets = [parts.read(part) for part in parts.namelist() if part.startswith("xl/worksheets/")]
    if not any(_HIDDEN.search(sheet) for sheet in sheets):  # what follows reads the workbook as a whole
        return 0
    sheet = openpyxl.load_workbook(BytesIO(content))[name]
    hidden = [number for number, row in sheet.row_dimensions.items() if row.hidden]
    return sum(any(cell.value is not None for cell in sheet[number]) for number in hidden)


def _table(rows: list[list[str]], note: str | None) -> pa.Table:
    rows = [row for row in rows if any(row)]
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    several = any(sum(map(bool, row)) > 1 for row in rows)
    while several and sum(map(bool, rows[0])) < 2:  # titles
        rows = rows[1:]
    columns = [column for column in zip(*rows, strict=True) if any(column)]
    return pa.table(
        [pa.array(column[1:], pa.string()) for column in columns],
        [each[0] for each in columns],
        metadata=None if note is None else {NOTE: note},
    )
