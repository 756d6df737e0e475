"""Worst rates and the four averages, methods side by side, over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from evenhand.functional.intervals import t_interval, weighted_interval

Row = Mapping[str, Any]
FEW = 30
"""Under this many rows a rate is flagged."""

MEASURES = (
    ("worst group", "worst_group"),
    ("worst class", "worst_class"),
    ("plain average", "plain"),
    ("train-weighted average", "train_weighted"),
    ("group mean", "group_mean"),
    ("class mean", "class_mean"),
)
MEANINGS = {
    "worst_group": "lowest accuracy of a group",
    "worst_class": "lowest accuracy of a class",
    "plain": "over all test rows",
    "train_weighted": "groups as frequent as in training",
    "group_mean": "every group counts alike",
    "class_mean": "every class counts alike",
}


@dataclass(frozen=True)
class Mark:
    """One method's value of a measure.

    Attributes
    ----------
    value : float or None
        Its rate, a mean over seeds; None where undefined.
    low, high : float or None
        95 % interval: over test rows for one seed, Student's over seeds for several.
    seeds : list of float
        Of each seed, where there are several.
    note : str
        Which group it is, and its n.
    lowest : bool
        It is the method's lowest of a table.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    seeds: tuple[float, ...] = ()
    note: str = ""
    lowest: bool = False


@dataclass(frozen=True)
class MeasureLine:
    """One measure, group or class: its marks in the order of the methods.

    Attributes
    ----------
    name : str
        Of the measure or the group.
    marks : list of Mark
        One per method.
    meaning : str
        What a measure means, how many rows a group has.
    """

    name: str
    marks: list[Mark]
    meaning: str = ""


@dataclass(frozen=True)
class Axis:
    """A scale of rates from `low` to 1, with round ticks."""

    low: float

    @classmethod
    def of(cls, lines: Sequence[MeasureLine]) -> Axis:
        """Return the scale that holds every mark and its interval."""
        ends = [
            end
            for line in lines
            for mark in line.marks
            for end in (mark.value, mark.low, *mark.seeds)
            if end is not None
        ]
        least = min(ends, default=0.0)
        return cls(next((low for low in (0.8, 0.6, 0.4, 0.2) if low <= least), 0.0))

    @property
    def ticks(self) -> list[float]:
        """Return five ticks or fewer, both ends included."""
        count = {0.8: 4, 0.6: 4, 0.4: 3, 0.2: 4, 0.0: 5}[self.low]
        return [self.low + k * (1 - self.low) / count for k in range(count + 1)]

    @property
    def step(self) -> float:
        """Return the distance of two ticks in percent of the scale."""
        return 100 / (len(self.ticks) - 1)

    def at(self, value: float) -> float:
        """Return the place of a rate in percent of the scale."""
        return round(100 * (value - self.low) / (1 - self.low), 3)


def measures(
    rows: Sequence[Row], methods: Sequence[str], shares: Mapping[str, float] | None = None
) -> list[MeasureLine]:
    """Return every measure that some method has a value of.

    `shares` are the groups' shares of training: without them the train-weighted average of one seed has no
    interval.
    """
    found = []
    for name, key in MEASURES:
        marks = [
            _mark([row for row in rows if row["method"] == method], key, shares or {}) for method in methods
        ]
        if any(mark.value is not None for mark in marks):
            found.append(MeasureLine(name, marks, meaning=MEANINGS[key]))
    return found


def rate_lines(rows: Sequence[Row], methods: Sequence[str], kind: str) -> list[MeasureLine]:
    """Return the rates that rows hold under `kind`, groups or classes, each method's lowest marked."""
    found: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        for rate in row.get(kind) or []:
            found.setdefault(rate["name"], {}).setdefault(row["method"], []).append(rate)
    table = {name: [_joined(rates.get(method, [])) for method in methods] for name, rates in found.items()}
    columns = [[marks[k].value for marks in table.values()] for k in range(len(methods))]
    known = [[value for value in column if value is not None] for column in columns]
    ends = [(min(column, default=0.0), max(column, default=0.0)) for column in known]
    return [
        MeasureLine(
            name,
            [
                replace(mark, lowest=mark.value is not None and mark.value == low < high)
                for mark, (low, high) in zip(marks, ends, strict=True)
            ],
            meaning=_rows_said([rate for own in found[name].values() for rate in own]),
        )
        for name, marks in table.items()
    ]


def count(rates: Sequence[Row]) -> str:
    """Return the number of rows of rates, a range where they differ."""
    low, high = (f"{end(rate['n'] for rate in rates):,}" for end in (min, max))
    return low if low == high else f"{low}–{high}"


def _rows_said(rates: Sequence[Row]) -> str:
    few = f", under {FEW}: mostly luck" if any(rate["n"] < FEW for rate in rates) else ""
    said = count(rates)
    return f"{said} row{'' if said == '1' else 's'}{few}"


def _joined(rates: Sequence[Row]) -> Mark:
    known = [rate for rate in rates if rate["value"] is not None]
    if len(known) == 1:
        return Mark(known[0]["value"], known[0]["low"], known[0]["high"])
    return over_seeds([rate["value"] for rate in known]) if known else Mark(None)


def over_seeds(values: Sequence[float]) -> Mark:
    """Return the mean with its 95 % t-interval over seeds, cut to what a rate can be."""
    mean = fmean(values)
    if len(values) == 1:
        return Mark(mean)
    low, high = t_interval(values)
    return Mark(mean, max(low, 0.0), min(high, 1.0), tuple(values))


def _mark(rows: Sequence[Row], key: str, shares: Mapping[str, float]) -> Mark:
    rate_of = _worst if key.startswith("worst") else _average
    marks = [mark for row in rows if (mark := rate_of(row, key, shares)).value is not None]
    if len(marks) > 1:
        return over_seeds([mark.value for mark in marks if mark.value is not None])
    return marks[0] if marks else Mark(None)


def _worst(row: Row, key: str, _: Mapping[str, float]) -> Mark:
    rate = row.get(key)
    if not rate or rate["value"] is None:
        return Mark(None)
    return Mark(rate["value"], rate["low"], rate["high"], note=f"{rate['name']}, {_rows_said([rate])}")


def _average(row: Row, key: str, shares: Mapping[str, float]) -> Mark:
    """Return an average with the interval that the rates it is made of give it."""
    value = row["averages"].get(key)
    rates = (row.get("classes") if key in ("plain", "class_mean") else row.get("groups")) or []
    weights = np.array(
        [
            {"plain": rate["n"], "train_weighted": shares.get(rate["name"], 0.0)}.get(key, 1.0)
            for rate in rates
            if rate["n"]
        ]
    )
    note = f"{sum(rate['n'] for rate in rates):,} rows"
    if value is None or not weights.sum():
        return Mark(value)
    values, lows, highs = (
        np.array([rate[name] for rate in rates if rate["n"]]) for name in ("value", "low", "high")
    )
    low, high = weighted_interval(values, lows, highs, weights / weights.sum())
    return Mark(value, low, high, note=note)
