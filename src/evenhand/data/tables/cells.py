"""The cells of a column as text: one text for one value, however programs write it."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from evenhand._typing import Strings

_MISSING = {"nan", "<na>", "nat"}
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d*)")
_FRACTION = re.compile(r"[+-]?(0|[1-9]\d*)([.,]0+|\.\d+e[+-]\d+)")


def strings(column: pa.Array) -> Strings:
    """Return a column as text without blanks around it; the empty string means missing."""
    if pa.types.is_floating(column.type):
        return np.asarray([_number(value) for value in column.to_pylist()], dtype=np.str_)
    texts = ["" if value is None else _text(str(value).strip()) for value in column.to_pylist()]
    values = np.asarray(["" if text.lower() in _MISSING else text for text in texts], dtype=np.str_)
    return _whole(values)


def _text(value: str) -> str:
    """Return 001 of ="001", the formula by which programs keep Excel from reading a number."""
    return value[2:-1] if value.startswith('="') and value.endswith('"') else value


def _whole(values: Strings) -> Strings:
    """Return 1.0 as "1" where a column holds whole numbers alone, some of them written as fractions.

    Programs turn whole numbers into fractions wherever a value of their column is missing: one table, joined
    from two, may hold both 1 and 1.0. Numbers with leading zeros are names, and stay.
    """
    distinct = [str(value) for value in np.unique(values) if value != ""]
    if not any(_FRACTION.fullmatch(value) for value in distinct):
        return values
    if not all(_FRACTION.fullmatch(value) or _INTEGER.fullmatch(value) for value in distinct):
        return values
    numbers = {value: float(value.replace(",", ".")) for value in distinct}
    if not all(number.is_integer() for number in numbers.values()):
        return values
    short = {value: str(int(number)) for value, number in numbers.items()} | {"": ""}
    return np.asarray([short[str(value)] for value in values], dtype=np.str_)


def _number(value: float | None) -> str:
    """Return 1.0 as "1": whole numbers turn into floats wherever a value of their column is missing."""
    if value is None or np.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() else str(value)
