"""Result rows as terminal tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from evenhand.cli.show import clean, interval, percent, table

AVERAGES = ("plain", "train_weighted", "group_mean", "class_mean")
FEW = 30


def methods(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return one line per method and seed: the worst rates, the named averages, the use of group labels."""
    numbers = ("seed", "worst group", "worst class", *AVERAGES)
    title = "Accuracy, percent, with 95 % intervals over test rows"
    made = table(title, "method", *numbers, "worst group − erm", "group labels", right=numbers)
    for row in rows:
        start = (clean(row["method"]), str(row["seed"]))
        if row["status"] != "ok":
            made.add_row(*start, clean(f"{row['status']}: {row['reason']}"))
            continue
        averages = [percent(row["averages"].get(name)) for name in AVERAGES]
        worsts = (interval(row["worst_group"]), interval(row["worst_class"]))
        difference = interval(row["difference_to_erm"])
        made.add_row(*start, *worsts, *averages, difference, clean(row["group_labels_used"]))
    return made


def rates(title: str, items: Sequence[Mapping[str, Any]]) -> Table:
    """Return one line per class, cell or group: its rate with interval, and n, flagged where it is small."""
    made = table(title, "name", "n", "accuracy %", right=("n", "accuracy %"))
    for item in items:
        count = f"{item['n']} few" if item["n"] < FEW else str(item["n"])
        made.add_row(clean(item["name"]), count, interval(item))
    return made
