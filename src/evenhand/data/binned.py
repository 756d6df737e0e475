"""Columns of many values as a few: numbers and dates are cut at their quartiles, rare words count as one."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np

from evenhand._typing import Floats, Ints, Strings

MANY = 12
"""Values of a column that stay as they are; of more words, those beyond the most frequent count as one."""
OTHERS = "(others)"
SHARE = 0.05
"""Of the known rows, below which a value of more than 12 words is rare even among the most frequent."""
FEWEST = 10
"""Rows of a value below which it is left out."""
BINS = 4
_DATE = re.compile(r"(\d{4})[-:/.](\d{2})(?:[-:/.](\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)\S*)?)?")
"""A date as ISO 8601 and EXIF write it, with or without a time."""


def coded(values: Strings, rare: Strings | None = None) -> Ints:
    """Return codes of the values [N] that have enough rows; those with fewer are −1, as unknown ones are.

    Numbers and dates are cut at their quartiles. Rarer words count as one value or, with `rare`, take its
    names [N], of which the empty string means unknown.
    """
    values = quartiles(values)
    frequent = _frequent(values, 0 if rare is None else SHARE)
    kept = np.where((values != "") & ~np.isin(values, frequent), OTHERS if rare is None else rare, values)
    names, counts = np.unique(kept[kept != ""], return_counts=True)
    place = {name: code for code, name in enumerate(names[counts >= FEWEST].tolist())}
    return np.array([place.get(value, -1) for value in kept.tolist()], dtype=np.int64)


def _frequent(values: Strings, share: float) -> Strings:
    names, counts = np.unique(values[values != ""], return_counts=True)
    if len(names) <= MANY:
        return names
    first = np.argsort(-counts, kind="stable")[: MANY - 1]
    frequent: Strings = names[first[counts[first] >= share * counts.sum()]]
    return frequent


def quartiles(values: Strings) -> Strings:
    """Return a column of more than 12 different numbers or dates cut at its quartiles, others as they are."""
    known = values[values != ""]
    if len(np.unique(known)) <= MANY:
        return values
    found = numbers(known)
    return _dated(values, known) if found is None else binned(values, found)


def numbers(values: Strings) -> Floats | None:
    """Return values as finite numbers, with a decimal point or comma; None if one is none."""
    try:
        found: Floats = np.char.replace(values, ",", ".").astype(np.float64)
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def binned(values: Strings, known: Floats) -> Strings:
    """Return a column [N] cut at the quartiles of its known values, which are these numbers."""
    edges, places = _cut(known)
    return _named(values, [f"{edge:g}" for edge in edges], places)


def _dated(values: Strings, known: Strings) -> Strings:
    found = [_DATE.fullmatch(value) for value in known.tolist()]
    if not all(found):
        return values
    parts = [match.groups() for match in found if match]
    unit = "m" if any(time for *_, time in parts) else "D"
    texts = [f"{year}-{month}-{day or '01'}T{time or '00:00'}" for year, month, day, time in parts]
    try:
        seconds = np.array(texts, dtype="datetime64[s]")
    except ValueError:  # as of a month 13
        return values
    edges, places = _cut(seconds.astype(np.float64))
    return _named(
        values, edges.astype("datetime64[s]").astype(f"datetime64[{unit}]").astype(str).tolist(), places
    )


def _cut(known: Floats) -> tuple[Floats, Ints]:
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
    places = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, max(len(edges) - 2, 0))
    return edges, places


def _named(values: Strings, edges: list[str], places: Ints) -> Strings:
    names = [f"{low} to {high}" for low, high in pairwise(edges)] or edges
    cut = np.full(len(values), "", dtype=f"<U{max(map(len, names))}")
    cut[values != ""] = np.asarray(names)[places]
    return cut
