"""Result rows as terminal tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from evenhand.cli.show import clean, interval, percent, table

Row = Mapping[str, Any]

FEW = 30
"""Under this many rows a rate is mostly luck."""


MEANINGS = {
    "plain": "mean over the rows",
    "train_weighted": "groups weighted by their share of the training rows",
    "group_mean": "mean of the groups",
    "class_mean": "mean of the classes",
}


def one(row: Row) -> Table:
    """Return the rates of one row, one a line, with what each is the rate of; what is unknown is left out."""
    title = f"{row['method']}, seed {row['seed']}: accuracy on the {row['split']} split, percent"
    value = "value, 95 % interval"
    made = table(title, "figure", value, "of what", right=(value,))
    for kind in ("group", "class"):
        rate = row[f"worst_{kind}"]
        if rate:
            made.add_row(f"worst {kind}", interval(rate), clean(f"{rate['name']}, {_count(rate)} rows"))
    for name, meaning in MEANINGS.items():
        if row["averages"][name] is not None:
            made.add_row(f"average, {name}", percent(row["averages"][name]), meaning)
    if row["gap"] is not None:
        unit = "group" if row["worst_group"] else "class"
        made.add_row("gap", percent(row["gap"]), f"points between the best and the worst {unit}")
    if row["difference_to_erm"] and row["method"] != "erm":
        meaning = "points more in the worst group than plain training (ERM), same rows"
        made.add_row("worst group − erm", interval(row["difference_to_erm"]), meaning)
    made.add_row("group labels", clean(row["group_labels_used"]), "used in training or selection")
    return made


def methods(rows: Sequence[Row]) -> Table:
    """Return one line per method and seed: the worst rates, the named averages, the use of group labels.

    A narrow console shows the worst group, the plain average and the difference, and drops the others.
    """
    numbers = ("seed", "worst group", "worst class", *MEANINGS)
    others = ("worst class",) if any(row["worst_group"] for row in rows) else ("worst group",)
    title = "Accuracy, percent, with 95 % intervals over test rows"
    made = table(
        title,
        *("method", *numbers, "worst group − erm", "group labels"),
        right=numbers,
        optional=("train_weighted", "class_mean", "group_mean", *others),
    )
    for row in rows:
        start = (clean(row["method"]), str(row["seed"]))
        if row["status"] != "ok":
            made.add_row(*start, clean(row["status"]))
            continue
        averages = [percent(row["averages"].get(name)) for name in MEANINGS]
        worsts = (interval(row["worst_group"]), interval(row["worst_class"]))
        difference = interval(row["difference_to_erm"])
        made.add_row(*start, *worsts, *averages, difference, clean(row["group_labels_used"]))
    return made


def rates(title: str, items: Sequence[Row]) -> Table:
    """Return one line per class, cell or group: its rate with interval, and n, flagged where it is small."""
    made = table(title, "name", "n", "accuracy %", right=("n", "accuracy %"))
    for item in items:
        made.add_row(clean(item["name"]), _count(item), interval(item))
    return made


def _count(rate: Mapping[str, Any]) -> str:
    return f"{rate['n']} few" if rate["n"] < FEW else str(rate["n"])
