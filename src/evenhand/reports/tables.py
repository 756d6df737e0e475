"""Rates side by side: groups, classes and cells as lines, methods as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from evenhand.reports.measures import FEW, count

MOST = 24
"""Lines of a table; of more groups the lowest are shown."""


@dataclass(frozen=True)
class RateLine:
    """One group.

    Attributes
    ----------
    name : str
        Of the group.
    n : str
        Its test rows; a range where seeds differ.
    few : bool
        Under 30 rows in some seed.
    values : list of float or None
        Mean rate over seeds by method, None where undefined.
    """

    name: str
    n: str
    few: bool
    values: list[float | None]


@dataclass(frozen=True)
class Comparison:
    """A table.

    Attributes
    ----------
    methods : list of str
        Columns.
    lines : list of RateLine
        At most `MOST`.
    lowest : list of float or None
        Of each column, over all groups.
    total : int
        Number of groups.
    """

    methods: list[str]
    lines: list[RateLine]
    lowest: list[float | None]
    total: int


def compare(rows: Sequence[Mapping[str, Any]], kind: str) -> Comparison:
    """Compare methods by the rates that result rows hold under `kind`: groups, classes or cells."""
    methods = list(dict.fromkeys(row["method"] for row in rows if row.get(kind)))
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in rows:
        for rate in row.get(kind) or []:
            found.setdefault(rate["name"], {}).setdefault(row["method"], []).append(rate)
    lines = [_line(name, [rates.get(method, []) for method in methods]) for name, rates in found.items()]
    columns = list(zip(*(line.values for line in lines), strict=True))
    return Comparison(
        methods, _shown(lines), [min(_known(column), default=None) for column in columns], len(lines)
    )


def _line(name: str, by_method: Sequence[Sequence[Mapping[str, Any]]]) -> RateLine:
    rates = [rate for own in by_method for rate in own]
    values = [_mean([rate["value"] for rate in own]) for own in by_method]
    return RateLine(name, count(rates), any(rate["n"] < FEW for rate in rates), values)


def _shown(lines: list[RateLine]) -> list[RateLine]:
    if len(lines) <= MOST:
        return lines
    return sorted(lines, key=lambda line: min(_known(line.values), default=2.0))[:MOST]


def _mean(values: Sequence[float | None]) -> float | None:
    known = _known(values)
    return fmean(known) if known else None


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
