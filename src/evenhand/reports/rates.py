"""Rates with their intervals: worst rates, the four averages, groups and classes, per method over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from evenhand._counts import number_of
from evenhand.evaluation.few import FEW
from evenhand.evaluation.metric_view import metric_of
from evenhand.functional.intervals import t_interval, weighted_interval

Record = Mapping[str, Any]
"""A row of results.json."""

MEASURES = (
    ("worst group", "worst_group"),
    ("worst class", "worst_class"),
    ("plain average", "plain"),
    ("train-weighted average", "train_weighted"),
    ("group mean", "group_mean"),
    ("class mean", "class_mean"),
)
MEANINGS = {
    "worst_group": "lowest {metric} of a group",
    "worst_class": "lowest {metric} of a class",
    "plain": "over all test rows",
    "train_weighted": "groups as frequent as in training",
    "group_mean": "every group counts equally",
    "class_mean": "every class counts equally",
}


@dataclass(frozen=True)
class Estimate:
    """One method's value of a rate, with its interval.

    Attributes
    ----------
    value : float or None
        The rate, a mean over seeds; None if undefined.
    low, high : float or None, default=None
        95 % interval: over test rows for one seed, Student's t over several seeds.
    seeds : tuple of float, default=()
        The value of each seed, if there are several.
    note : str, default=""
        The group that it belongs to, and its number of rows.
    lowest : bool, default=False
        Whether it is the method's lowest in a table.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    seeds: tuple[float, ...] = ()
    note: str = ""
    lowest: bool = False


@dataclass(frozen=True)
class RateRow:
    """A row of a table of rates: one measure, group, class or slice.

    Attributes
    ----------
    name : str
        The measure, group, class or slice.
    estimates : list of Estimate
        One per method.
    meaning : str, default=""
        What the measure means, or how many rows there are.
    """

    name: str
    estimates: list[Estimate]
    meaning: str = ""


@dataclass(frozen=True)
class Axis:
    """A scale of rates from `low` to 1, with round ticks."""

    low: float

    @classmethod
    def of(cls, rows: Sequence[RateRow]) -> Axis:
        """Return the scale that holds every rate with its interval."""
        ends = [
            end
            for row in rows
            for one in row.estimates
            for end in (one.value, one.low, *one.seeds)
            if end is not None
        ]
        least = min(ends, default=0.0)
        return cls(next((low for low in (0.8, 0.6, 0.4, 0.2) if low <= least), 0.0))

    @property
    def ticks(self) -> list[float]:
        """Five or six ticks, including both ends."""
        count = {0.8: 4, 0.6: 4, 0.4: 3, 0.2: 4, 0.0: 5}[self.low]
        return [self.low + k * (1 - self.low) / count for k in range(count + 1)]

    @property
    def step(self) -> float:
        """The distance of two ticks in percent of the scale."""
        return 100 / (len(self.ticks) - 1)

    def at(self, value: float) -> float:
        """Return the place of a rate in percent of the scale."""
        return round(100 * (value - self.low) / (1 - self.low), 3)


def measure_rows(
    records: Sequence[Record], methods: Sequence[str], shares: Mapping[str, float] | None = None
) -> list[RateRow]:
    """Return a row for each measure that has a value for some method.

    Parameters
    ----------
    records : sequence of Record
        Result rows with status `ok`.
    methods : sequence of str
        The methods, in the order of the estimates.
    shares : dict of str to float, optional
        The groups' shares of the training rows. Without them the train-weighted average of one seed has no
        interval.
    """
    metric = metric_of(records[0]) if records else "accuracy"
    found = []
    for name, key in MEASURES:
        estimates = [
            joined([of_row(row, key, shares or {}) for row in records if row["method"] == method])
            for method in methods
        ]
        if any(one.value is not None for one in estimates):
            found.append(RateRow(name, estimates, meaning=MEANINGS[key].format(metric=metric)))
    return found


def rate_rows(records: Sequence[Record], methods: Sequence[str], kind: str) -> list[RateRow]:
    """Return a row for each rate under `kind`, groups or classes, with each method's lowest marked."""
    rates = by_name_and_method(records, kind)
    table = {
        name: [
            joined([Estimate(one["value"], one["low"], one["high"]) for one in own.get(method, [])])
            for method in methods
        ]
        for name, own in rates.items()
    }
    columns = [[estimates[k].value for estimates in table.values()] for k in range(len(methods))]
    known = [[value for value in column if value is not None] for column in columns]
    ends = [(min(column, default=0.0), max(column, default=0.0)) for column in known]
    return [
        RateRow(
            name,
            [
                replace(one, lowest=one.value is not None and one.value == low < high)
                for one, (low, high) in zip(estimates, ends, strict=True)
            ],
            meaning=_count_note([rate for own in rates[name].values() for rate in own]),
        )
        for name, estimates in table.items()
    ]


def by_name_and_method(records: Sequence[Record], kind: str) -> dict[str, dict[str, list[Record]]]:
    """Return the rates under `kind` of all seeds, by the name of the rate and by method."""
    found: dict[str, dict[str, list[Record]]] = {}
    for row in records:
        for rate in row.get(kind) or []:
            found.setdefault(rate["name"], {}).setdefault(row["method"], []).append(rate)
    return found


def count(rates: Sequence[Record]) -> str:
    """Return the number of rows of rates, or a range if they differ."""
    low, high = (f"{end(rate['n'] for rate in rates):,}" for end in (min, max))
    return low if low == high else f"{low}–{high}"


def over_seeds(values: Sequence[float]) -> Estimate:
    """Return the mean with its 95 % t-interval over seeds, clipped to [0, 1].

    x̄ ± t s/√n with s the standard deviation (n − 1) and t Student's quantile of n − 1 degrees of freedom.
    """
    mean = fmean(values)
    if len(values) == 1:
        return Estimate(mean)
    low, high = t_interval(values)
    return Estimate(mean, max(low, 0.0), min(high, 1.0), tuple(values))


def _count_note(rates: Sequence[Record]) -> str:
    few = f", under {FEW}: mostly luck" if any(rate["n"] < FEW for rate in rates) else ""
    number = count(rates)
    return f"{number} row{'' if number == '1' else 's'}{few}"


def joined(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean of the seeds' estimates; if all are the same, the first with its interval over rows.

    A model that no seed changes, such as zero-shot, has no spread over seeds; that does not make it certain.
    """
    values = [one.value for one in estimates if one.value is not None]
    if len(set(values)) > 1:
        return over_seeds(values)
    return next((one for one in estimates if one.value is not None), Estimate(None))


def of_row(row: Record, key: str, shares: Mapping[str, float]) -> Estimate:
    """Return a worst rate, or an average with the interval that its rates give it."""
    if key.startswith("worst"):
        rate = row.get(key)
        if not rate or rate["value"] is None:
            return Estimate(None)
        return Estimate(
            rate["value"], rate["low"], rate["high"], note=f"{rate['name']}, {_count_note([rate])}"
        )
    value = row["averages"].get(key)
    if "metric" in row:  # its rates share rows, as one class is among the others of the next
        return Estimate(value)
    rates = (row.get("classes") if key in ("plain", "class_mean") else row.get("groups")) or []
    known = [rate for rate in rates if rate["n"]]
    weights = np.array([_weight(rate, key, shares) for rate in known])
    if value is None or not weights.sum():
        return Estimate(value)
    values, lows, highs = (np.array([rate[name] for rate in known]) for name in ("value", "low", "high"))
    low, high = weighted_interval(values, lows, highs, weights / weights.sum())
    return Estimate(value, low, high, note=f"{number_of(sum(rate['n'] for rate in rates), 'row')}")


def _weight(rate: Record, key: str, shares: Mapping[str, float]) -> float:
    """Return how much a rate counts in an average: its rows, its share of training, or one."""
    if key == "plain":
        return float(rate["n"])
    return shares.get(rate["name"], 0.0) if key == "train_weighted" else 1.0
