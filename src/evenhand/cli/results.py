"""A results object in the terminal, for `fit` and `demo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evenhand.cli import tables
from evenhand.cli.show import MOST, as_json, clean, console, left_out, percent, worded
from evenhand.evaluation.metric_view import NAMES, by_metric, metric_of
from evenhand.evaluation.verdict_sentences import verdict_sentences

TITLES = {
    "classes": "Classes",
    "cells": "Cells: each class, split by whether plain training (ERM) classifies the row correctly",
    "groups": "Groups",
}


def show_results(results: Any, out: Path, *, json: bool, metric: str = "accuracy") -> None:
    """Write a results object: as JSON, or its methods and, of one method alone, its classes and groups."""
    found = results.model_dump(mode="json", by_alias=True)
    if json:
        as_json(found)
        return
    show_rows([by_metric(row, metric) for row in found["rows"]])
    chosen = {
        row["kept"].get("metric", "accuracy") for row in found["rows"] if "shortcut" in (row["kept"] or {})
    }
    if chosen - {metric}:
        console().print(f"shown by {NAMES[metric]}, chosen by worst {NAMES[chosen.pop()]}")
    console().print(clean(f"written to {out}"), soft_wrap=True)


def show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as tables, with what was kept and why."""
    screen = console()
    if len(rows) == 1 and rows[0]["status"] == "ok":
        screen.print(tables.one(rows[0]))
        for kind, title in TITLES.items():
            if rows[0][kind] and (kind, rows[0]["method"]) != ("cells", "erm"):
                screen.print()
                screen.print(tables.rates(title, rows[0][kind], metric_of(rows[0])))
    else:
        screen.print(tables.methods(rows))
        if more := left_out(len(rows), "rows"):
            screen.print(more)
    screen.print()
    for row in rows[:MOST]:
        start = f"{row['method']}, seed {row['seed']}: " if len(rows) > 1 else ""
        missing = [] if row["status"] == "ok" else [f"{row['status']}: {row['reason']}"]
        for remark in [*missing, *_kept(row, alone=len(rows) == 1), *row.get("notes", []), *confidence(row)]:
            screen.print(worded(f"{start}{remark}"), soft_wrap=True)


def _kept(row: Mapping[str, Any], *, alone: bool) -> list[str]:
    """Return what the fit of a row says; among other rows it is one line, and the report has the reasons."""
    kept = row.get("kept") or {}
    said = verdict_sentences(kept)
    if alone or "shortcut" not in kept:
        return said
    return [f"Shortcut: {kept['shortcut']}. Repair: {kept['repair']}. {said[2]}"]


def confidence(row: Mapping[str, Any]) -> list[str]:
    """Return what the temperature of a row did, if it has one."""
    found = row.get("confidence")
    if not found:
        return []
    return [
        f"confidence: temperature {found['temperature']:.3g} from {found['n']} {found['found_on']}, "
        f"{found['errors'] or 'none'} of them wrong; "
        f"expected calibration error {percent(found['ece_before'])} % before, "
        f"{percent(found['ece_after'])} % after"
    ]
