"""Predictions in the terminal: how many of each class, and their accuracy if labels are known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evenhand._commands import beside
from evenhand._counts import number_of
from evenhand.cli import tables
from evenhand.cli.show import MOST, as_json, clean, complain, console, left_out, table
from evenhand.cli.suggest import suggest
from evenhand.evaluation.metric_view import by_metric, metric_of


def show_predictions(found: Mapping[str, Any], run: Path, *, json: bool, metric: str = "accuracy") -> None:
    """Write what `predict` returned: as JSON, or as tables; notes and skipped images go to stderr."""
    for note in found.get("notes", []):
        complain("note", note)
    if json:
        as_json(found)
        return
    screen = console()
    screen.print(clean(f"{found['out']}: {number_of(found['rows'], 'row')}"), soft_wrap=True)
    if "classes" in found:
        _show_scores(found, metric)
    else:
        _show_counts(found["predicted"])
    for image in found["skipped"][:MOST]:
        complain("skipped", f"{image['path']}: {image['reason']}")
    if more := left_out(len(found["skipped"]), "images"):
        complain("skipped", more)
    suggest("export", run, "--to", "open_clip", "--out", beside(run, "-model"))


def _show_counts(predicted: Mapping[str, int]) -> None:
    counts = list(predicted.items())
    if len(counts) > MOST:
        counts = sorted(counts, key=lambda one: -one[1])[:MOST]
    drawn = table("", "predicted", "n", right=("n",))
    for name, count in counts:
        drawn.add_row(clean(name), str(count))
    console().print(drawn)
    if more := left_out(len(predicted), "classes, predicted less often"):
        console().print(more)


def _show_scores(found: Mapping[str, Any], metric: str) -> None:
    screen = console()
    labeled = sum(rate["n"] for rate in found["classes"])
    found = by_metric(found, metric)
    screen.print(tables.methods([found]))
    for kind in ("classes", "groups"):
        if found[kind]:
            screen.print()
            screen.print(
                tables.rates(
                    f"{kind.capitalize()}, {number_of(labeled, 'labeled image')}",
                    found[kind],
                    metric_of(found),
                )
            )
