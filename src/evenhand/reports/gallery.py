"""Pictures to look at: the calibration set by class, and what changed between before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenhand._typing import Bools, Ints
from evenhand.reports.sampling import sample
from evenhand.reports.source import RunView

PER_CLASS = 40
CLASSES = 12
CHANGED = 24
"""Pictures shown at most: of a class, classes, and of each kind of change."""


@dataclass(frozen=True)
class Item:
    """One picture.

    Attributes
    ----------
    row : int
        Its number in the store.
    name : str
        Its id.
    label : str
        Its class.
    group : str
        Its group, empty where unknown.
    margin : float
        Of the reference model in a calibration set, of the model after elsewhere.
    predicted : tuple of str
        Classes predicted before and after; empty in a calibration set.
    """

    row: int
    name: str
    label: str
    group: str
    margin: float
    predicted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shelf:
    """Pictures under one heading: `items` of the `total` there are."""

    title: str
    total: int
    items: list[Item]


def calibration_shelves(view: RunView) -> tuple[list[Shelf], int]:
    """Return a shelf per class, the class with most rows first, and the number of classes there are.

    Of a class with more than `PER_CLASS` rows, half of what is shown has the lowest margins and half the
    highest.
    """
    wanted = {record["id"] for record in view.calibration_set}
    numbers = {name: row for row, name in enumerate(view.table.ids.tolist()) if name in wanted}
    by_class: dict[str, list[Item]] = {}
    for record in view.calibration_set:
        row = numbers[record["id"]]
        group = group_of(view, row)
        item = Item(row, record["id"], record["label"], group, record["margin"])
        by_class.setdefault(record["label"], []).append(item)
    shelves = [
        Shelf(name, len(items), _ends(sorted(items, key=lambda item: item.margin)))
        for name, items in sorted(by_class.items(), key=lambda pair: -len(pair[1]))
    ]
    return shelves[:CLASSES], len(shelves)


def changed_shelves(view: RunView) -> list[Shelf]:
    """Return what is newly right and newly wrong after; where many are, a drawn sample is shown."""
    before, after = view.pair
    return [
        _changed(view, "Newly right", ~before.right & after.right),
        _changed(view, "Newly wrong", before.right & ~after.right),
    ]


def group_counts(view: RunView) -> list[tuple[str, int, int, int]]:
    """Return by group, or by class where none is known: name, test rows, newly right, newly wrong."""
    groups = view.groups(view.test)
    names = view.table.labels(view.test) if groups is None else groups
    before, after = view.pair
    return [
        (
            name or "group unknown",
            int((names == name).sum()),
            int((~before.right & after.right & (names == name)).sum()),
            int((before.right & ~after.right & (names == name)).sum()),
        )
        for name in np.unique(names).tolist()
    ]


def shown_rows(shelves: Sequence[Shelf]) -> Ints:
    """Return the row numbers of all pictures on the shelves."""
    return np.array([item.row for shelf in shelves for item in shelf.items], dtype=np.int64)


def _changed(view: RunView, title: str, chosen: Bools) -> Shelf:
    places = np.flatnonzero(chosen)
    shown = places[sample(len(places), CHANGED, view.card["seed"], title)]
    before, after = view.pair
    items = [
        Item(
            row,
            str(view.table.ids[row]),
            view.table.classes[view.table.y[row]],
            group_of(view, row),
            float(after.margins[place]),
            tuple(view.table.classes[stage.predicted[place]] for stage in (before, after)),
        )
        for place, row in zip(shown.tolist(), view.test[shown].tolist(), strict=True)
    ]
    return Shelf(title, len(places), sorted(items, key=lambda item: item.group))


def group_of(view: RunView, row: int) -> str:
    """Return a row's group, empty where unknown."""
    groups = view.groups(np.array([row]))
    return "" if groups is None else str(groups[0])


def _ends(items: list[Item]) -> list[Item]:
    if len(items) <= PER_CLASS:
        return items
    return [*items[: PER_CLASS // 2], *items[-PER_CLASS // 2 :]]
