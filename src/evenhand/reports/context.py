"""Results and provenance as the page shows them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evenhand.evaluation.verdict_text import verdict_sentences
from evenhand.reports.curves import HEIGHT, WIDTH, candidates, charts
from evenhand.reports.measures import Axis, Mark, MeasureLine, measures, over_seeds, rate_lines
from evenhand.reports.slices import Slices
from evenhand.reports.source import RunView
from evenhand.reports.tables import MOST, compare
from evenhand.reports.verdict import Row, unit_of, verdict, worst

SIDE_BY_SIDE = 4
"""Methods whose figures fit beside each other; more of them become lines."""


def numbers(
    rows: Sequence[Row], view: RunView | None, slices: Slices | None = None, seed: int | None = None
) -> dict[str, Any]:
    """Return the verdict and the rates of every method; `slices` are a run's, `seed` its own of several."""
    fitted = [row for row in rows if row["status"] == "ok"]
    methods = list(dict.fromkeys(row["method"] for row in fitted))
    seeds = len({row["seed"] for row in fitted})
    lines = measures(fitted, methods, _shares(view))
    by_method = [_method_line(method, rows) for method in dict.fromkeys(row["method"] for row in rows)]
    tables = {kind: compare(fitted, kind) for kind in ("groups", "classes", "cells")}
    return {
        "verdict": verdict(fitted, slices, seed),
        "rows": rows,
        "methods": methods,
        "few_methods": len(methods) <= SIDE_BY_SIDE,
        "unit": unit_of(fitted),
        "split": " and ".join(dict.fromkeys(row["split"] for row in fitted)) or "test",
        "interval_note": _interval_note(seeds),
        "measures": lines,
        "axis": Axis.of([*lines, *(line["line"] for line in by_method)]),
        "groups": _section(fitted, methods, "groups"),
        "classes": _section(fitted, methods, "classes"),
        "method_lines": by_method,
        "group_table": tables["groups"],
        "class_table": tables["classes"],
        "cells": tables["cells"],
        "group_cut": _cut(tables["groups"].total),
        "class_cut": _cut(tables["classes"].total),
        "cell_cut": _cut(tables["cells"].total),
    }


def kept_facts(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return which method a comparison would keep on each seed, and what came of following it."""
    summary = data.get("kept_summary") or {}
    unit = "worst_group" if summary.get("worst_group") else "worst_class"
    return {
        "kept_methods": data.get("kept_method") or [],
        "kept_worst": (summary.get(unit) or {}).get("mean"),
        "kept_average": (summary.get("plain") or {}).get("mean"),
    }


def provenance_facts(data: Mapping[str, Any], rows: Sequence[Row], view: RunView | None) -> dict[str, Any]:
    """Return how the results were made: evidence, candidates, curves, settings, command."""
    known = data.get("provenance", {})
    chosen: Row = {}
    if view is not None:
        own = (view.card["method"], view.card["seed"])
        chosen = next((row for row in rows if (row["method"], row["seed"]) == own), {})
    kept = chosen.get("kept") or {}
    command = known.get("command")
    return {
        "reasons": _reasons(rows),
        "candidates": candidates(chosen),
        "rule": kept.get("rule", ""),
        "kept_candidate": kept.get("candidate", ""),
        "curves": charts(view.history) if view is not None else [],
        "curve_size": (WIDTH, HEIGHT),
        "settings": _settings(known, view),
        "command": command if isinstance(command, str) else shlex.join(command or []),
        "sections": _sections(view),
    }


def _sections(view: RunView | None) -> list[tuple[str, str]]:
    pictures = [
        ("map", "Map"),
        ("slices", "Slices"),
        ("calibration", "Calibration set"),
        ("changes", "What changed"),
        ("saliency", "Where it looks"),
    ]
    return [
        ("verdict", "Verdict"),
        ("numbers", "Figures"),
        *(pictures if view is not None else []),
        ("making", "How it was made"),
    ]


def _shares(view: RunView | None) -> dict[str, float]:
    """Return the groups' shares of the training rows whose group is known."""
    groups = None if view is None else view.groups(view.table.rows("train"))
    if groups is None:
        return {}
    names, counts = np.unique(groups[groups != ""], return_counts=True)
    return dict(zip(names.tolist(), (counts / max(counts.sum(), 1)).tolist(), strict=True))


def _section(rows: Sequence[Row], methods: Sequence[str], kind: str) -> dict[str, Any]:
    lines = rate_lines(rows, methods, kind)
    shown = lines if len(lines) <= MOST else sorted(lines, key=_least)[:MOST]
    return {"lines": shown, "axis": Axis.of(shown), "cut": _cut(len(lines))}


def _least(line: MeasureLine) -> float:
    return min((mark.value for mark in line.marks if mark.value is not None), default=2.0)


def _cut(total: int) -> str:
    return f" The {MOST} lowest of {total:,} are shown; all are in results.json." if total > MOST else ""


def _interval_note(seeds: int) -> str:
    if seeds > 1:
        return (
            f"Each mark is a mean over {seeds} seeds, each thin stroke one seed, and each line a 95 % "
            "interval over seeds (Student's t): where another run would lie."
        )
    return "Each line is a 95 % interval over test rows: where another test set would lie."


def _method_line(method: str, rows: Sequence[Row]) -> dict[str, Any]:
    own = [row for row in rows if row["method"] == method]
    done = [row for row in own if row["status"] == "ok"]
    low = _over([rate for row in done if (rate := worst(row))])
    plain = [{"value": row["averages"]["plain"]} for row in done if row["averages"].get("plain") is not None]
    return {
        "method": method,
        "use": own[0].get("group_labels_used", "none"),
        "low": low,
        "average": _over(plain),
        "line": MeasureLine(method, [low]),
        "ok": len(done),
        "total": len(own),
        "missing": ", ".join(dict.fromkeys(row["status"] for row in own if row["status"] != "ok")),
    }


def _over(rates: Sequence[Mapping[str, Any]]) -> Mark:
    if len(rates) == 1:
        return Mark(rates[0]["value"], rates[0].get("low"), rates[0].get("high"))
    return over_seeds([rate["value"] for rate in rates]) if rates else Mark(None)


def _reasons(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what the rows say in words: what was kept, notes, and why there is no result."""
    found = []
    for row in rows:
        said = [*verdict_sentences(row.get("kept") or {}), *(row.get("notes") or [])]
        if row["status"] != "ok":
            said = [f"{row['status']}: {row['reason']}"]
        found += [{"method": row["method"], "seed": row["seed"], "reason": text} for text in said if text]
    return found


def _settings(known: Mapping[str, Any], view: RunView | None) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the settings under their headings, as flat pairs of text."""
    made = {name: value for name, value in known.items() if name not in ("command", "versions")}
    found = [("Results", _flat(made)), ("Versions", _flat(known.get("versions", {})))]
    if view is not None:
        run = {
            name: value
            for name, value in view.card.items()
            if name not in ("settings", "params", "store_card", "schema", "kind", "classes")
        }
        found += [
            ("Run", _flat(run)),
            ("Parameters that were given", _flat(view.card.get("params", {}))),
            ("Every setting", _flat(view.card.get("settings", {}))),
            ("Store", _flat(view.card["store_card"])),
        ]
    return found


def _flat(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in values.items()
    ]
