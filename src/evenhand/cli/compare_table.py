"""A comparison in the terminal: a line per method over its seeds, and what evenhand would keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from evenhand._counts import number_of
from evenhand.cli.show import MOST, as_json, clean, console, interval, left_out, percent, table, worded
from evenhand.data.labels import some
from evenhand.evaluation.metric_view import metric_of, results_by_metric

Row = Mapping[str, Any]
SAME = 0.0005
"""Differences that one decimal of a percentage does not show."""


def show_comparison(results: Any, out: Path | None, *, json: bool, metric: str = "accuracy") -> None:
    """Write a comparison: as JSON, or as a table with what stands behind it below."""
    found = results.model_dump(mode="json", by_alias=True)
    if json:
        as_json(found)
        return
    found = results_by_metric(found, metric)
    screen = console()
    screen.print(_table(found))
    if more := left_out(len(found["summary"]), "methods"):
        screen.print(more)
    screen.print()
    for line in _below(found, out):
        screen.print(worded(line), soft_wrap=True)


def _table(found: Row) -> Table:
    unit = "group" if any(row["worst_group"] for row in found["rows"]) else "class"
    worst = f"worst {unit}"
    numbers = (worst, "plain average", f"{worst} − erm", "seconds")
    made = table(
        f"Test {metric_of(found)}, percent",
        *("method", "status", "group labels", "chosen by", *numbers),
        right=numbers,
        optional=("seconds", "chosen by", "status"),
    )
    rows: dict[str, list[Row]] = {}
    for row in found["rows"]:
        rows.setdefault(row["method"], []).append(row)
    for one in found["summary"][:MOST]:
        own = rows[one["method"]]
        figures = _figures(one, unit)
        seconds = one["fit_seconds"]
        made.add_row(
            clean(one["method"]),
            _status(own),
            clean(own[0]["group_labels_used"]),
            clean(_chosen_by(own)),
            *figures,
            "–" if seconds is None else f"{seconds['mean']:.1f}",
        )
    if found["kept_summary"] is not None:
        uses = {one["group_labels_used"] for one in found["kept_method"]}
        figures = _figures(found["kept_summary"], unit)
        made.add_section()
        made.add_row(
            clean(found["kept_summary"]["method"]),
            "",
            clean(", ".join(sorted(uses))),
            "evidence",
            *figures,
            "",
        )
    return made


def _figures(one: Row, unit: str) -> tuple[str, str, str]:
    over_rows = one["over_test_rows"] or {}
    difference = over_rows.get("difference_to_erm") if unit == "group" else None
    worst, plain = (_spread(one[key], over_rows.get(key)) for key in (f"worst_{unit}", "plain"))
    return worst, plain, interval(difference)


def _spread(over_seeds: Row | None, over_rows: Row | None) -> str:
    """Return a mean over seeds with half of its t-interval.

    What is the same on all seeds has its interval over test rows, if that is known, since it is not certain.
    """
    if over_seeds is None:
        return "–"
    known = over_rows is not None and over_seeds["high"] is not None
    if known and over_seeds["high"] - over_seeds["low"] < SAME:
        return interval(over_rows)
    half = "" if over_seeds["high"] is None else f" ± {percent(over_seeds['high'] - over_seeds['mean'])}"
    return percent(over_seeds["mean"]) + half


def _status(rows: Sequence[Row]) -> str:
    done = sum(row["status"] == "ok" for row in rows)
    if done == len(rows):
        return "ok"
    states = sorted({str(row["status"]) for row in rows if row["status"] != "ok"})
    return f"{done} of {len(rows)} ok" if done else ", ".join(states)


def _chosen_by(rows: Sequence[Row]) -> str:
    """Return the rule that chose, and of how many configurations; `fit` if a fit chose by itself."""
    done = [row for row in rows if row["status"] == "ok"]
    if not done:
        return "–"
    chosen, tried = str(done[0]["selection"]), len(done[0]["grid"])
    rule = chosen.replace(",", " ").split(" ", 1)[0]
    return rule if chosen == "none" else f"{rule}, {tried} tried" if tried > 1 else f"{rule}, in fit"


def _below(found: Row, out: Path | None) -> Iterator[str]:
    made = found["provenance"]
    yield (
        f"mean over {number_of(len(made['seeds']), 'seed')} ± half of the 95 % t-interval over seeds or, if "
        "no seed changes the figure, [95 % interval over test rows]; the average is over test rows; "
        "differences are from erm's row, with 95 % bootstrap intervals over test rows; seconds are for all "
        "fits of one seed"
    )
    for one in found["kept_method"][:MOST]:
        reason = f"{one['reason']}." if one["above"] else one["reason"]
        yield " ".join([f"seed {one['seed']}: evenhand would keep {one['method']}; {reason}", *one["above"]])
    if more := left_out(len(found["kept_method"]), "seeds"):
        yield more
    reasons = _reasons(found["rows"])
    for sentence, methods in list(reasons.items())[:MOST]:
        yield f"{some(methods)}: {sentence}"
    if more := left_out(len(reasons), "remarks"):
        yield more
    yield from (f"note: {note}" for note in found["notes"])
    if out is not None:
        yield f"written to {out}"


def _reasons(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return why rows are missing or what to know of them, each once with the methods that it holds for."""
    found: dict[str, list[str]] = {}
    for row in rows:
        missing = [] if row["status"] == "ok" else [f"{row['status']}: {row['reason']}"]
        for sentence in [*missing, *row["notes"]]:
            methods = found.setdefault(sentence, [])
            if row["method"] not in methods:
                methods.append(row["method"])
    return found
