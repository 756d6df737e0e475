"""Result rows as terminal tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from evenhand.cli.show import MOST, clean, interval, percent, table
from evenhand.evaluation.few import FEW
from evenhand.evaluation.metric_view import RANKING, metric_of

Row = Mapping[str, Any]


MEANINGS = {
    "plain": "mean over the rows",
    "train_weighted": "groups weighted by their share of the training rows",
    "group_mean": "mean of the groups",
    "class_mean": "mean of the classes",
}


def one(row: Row) -> Table:
    """Return the rates of one row, one a line, with what each is the rate of; what is unknown is left out."""
    title = f"{row['method']}, seed {row['seed']}: {metric_of(row)} on the {row['split']} split, percent"
    value = "value, 95 % interval"
    made = table(title, "figure", value, "of what", right=(value,))
    for kind in ("group", "class"):
        rate = row[f"worst_{kind}"]
        if rate:
            rows = "rows of the rarer side" if row.get("metric") in RANKING else "rows"
            made.add_row(f"worst {kind}", interval(rate), clean(f"{rate['name']}, {_count(rate)} {rows}"))
    for name, meaning in MEANINGS.items():
        if row["averages"][name] is not None:
            made.add_row(f"average, {name}", percent(row["averages"][name]), meaning)
    if row["gap"] is not None:
        unit = "group" if row["worst_group"] else "class"
        made.add_row("gap", percent(row["gap"]), f"points between the best and the worst {unit}")
    if row["difference_to_erm"] and row["method"] != "erm":
        meaning = "points above plain training (ERM) in the worst group, on the same rows"
        if row["method"] == "auto":
            meaning += ", with the L2 strength that cross-fitting chose"
        made.add_row("worst group − erm", interval(row["difference_to_erm"]), meaning)
    made.add_row("group labels", clean(row["group_labels_used"]), "used in training or selection")
    return made


def methods(rows: Sequence[Row]) -> Table:
    """Return one line per method and seed: the worst rates, the named averages, the use of group labels.

    Of more than `MOST` rows the first are shown.

    What is unknown of all is left out. A narrow console shows the worst group, or without groups the worst
    class, with the plain average and the difference.
    """
    numbers = ("seed", "worst group", "worst class", *MEANINGS, "worst group − erm")
    headers = ("method", *numbers, "group labels")
    lines = [_method(row) for row in rows[:MOST]]
    known = [k for k in range(len(headers)) if any(line[k] != "–" for line in lines)]
    shown = [headers[k] for k in known]
    metric = metric_of(rows[0]) if rows else "accuracy"
    made = table(
        f"{metric[0].upper()}{metric[1:]}, percent, with 95 % intervals over test rows",
        *shown,
        right=numbers,
        optional=(
            *("train_weighted", "class_mean", "group_mean"),
            *(("worst class",) if "worst group" in shown else ()),
        ),
    )
    for line in lines:
        made.add_row(*(line[k] for k in known))
    return made


def _method(row: Row) -> list[str]:
    if row["status"] != "ok":
        name = f"{row['method']} ({row['status']})"
        return [clean(name), str(row["seed"]), *["–"] * (len(MEANINGS) + 4)]
    start = (clean(row["method"]), str(row["seed"]))
    worsts = (interval(row["worst_group"]), interval(row["worst_class"]))
    averages = [percent(row["averages"].get(name)) for name in MEANINGS]
    difference = interval(row["difference_to_erm"])
    return [*start, *worsts, *averages, difference, clean(row["group_labels_used"])]


def rates(title: str, items: Sequence[Row], metric: str = "accuracy") -> Table:
    """Return one line per class, cell or group: its rate with interval, and n, flagged if it is small.

    Of more than `MOST` the worst are shown.
    """
    shown = list(items)
    if len(shown) > MOST:
        known = [item for item in shown if item["value"] is not None]
        shown = sorted(known, key=lambda item: float(item["value"]))[:MOST]
        title = f"{title}: the worst {len(shown)} of {len(items):,}"
    made = table(title, "name", "n", f"{metric} %", right=("n", f"{metric} %"))
    for item in shown:
        made.add_row(clean(item["name"]), _count(item), interval(item))
    return made


def _count(rate: Mapping[str, Any]) -> str:
    return f"{rate['n']} few" if rate["n"] < FEW else str(rate["n"])
