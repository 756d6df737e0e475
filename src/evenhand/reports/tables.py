"""Tables of mean rates: groups, classes and cells as rows, methods as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from evenhand.evaluation.few import FEW
from evenhand.reports.rates import Record, by_name_and_method, count

MOST = 24
"""Rows of a table; of more groups the lowest are shown."""


@dataclass(frozen=True)
class TableRow:
    """One group, class or cell.

    Attributes
    ----------
    name : str
        Its name.
    n : str
        Its number of test rows, a range if seeds differ.
    few : bool
        Whether it has under 30 rows in some seed.
    values : list of float or None
        Mean rate over seeds by method, None if undefined.
    """

    name: str
    n: str
    few: bool
    values: list[float | None]


@dataclass(frozen=True)
class RateTable:
    """Mean rates, method by method.

    Attributes
    ----------
    methods : list of str
        The columns.
    rows : list of TableRow
        At most `MOST`.
    lowest : list of float or None
        The lowest rate of each column, over all groups.
    total : int
        Number of groups.
    """

    methods: list[str]
    rows: list[TableRow]
    lowest: list[float | None]
    total: int


def rate_table(records: Sequence[Record], kind: str) -> RateTable:
    """Compare methods by the rates that result rows have under `kind`: groups, classes or cells."""
    methods = list(dict.fromkeys(row["method"] for row in records if row.get(kind)))
    rows = [
        _row(name, [rates.get(method, []) for method in methods])
        for name, rates in by_name_and_method(records, kind).items()
    ]
    columns = zip(*(row.values for row in rows), strict=True)
    return RateTable(
        methods, _lowest(rows), [min(_known(column), default=None) for column in columns], len(rows)
    )


def _row(name: str, by_method: Sequence[Sequence[Record]]) -> TableRow:
    rates = [rate for own in by_method for rate in own]
    values = [_mean([rate["value"] for rate in own]) for own in by_method]
    return TableRow(name, count(rates), any(rate["n"] < FEW for rate in rates), values)


def _lowest(rows: list[TableRow]) -> list[TableRow]:
    if len(rows) <= MOST:
        return rows
    return sorted(rows, key=lambda row: min(_known(row.values), default=2.0))[:MOST]


def _mean(values: Sequence[float | None]) -> float | None:
    known = _known(values)
    return fmean(known) if known else None


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
