"""The section of figures: rates of every method, before and after or side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evenhand._typing import Strings
from evenhand.evaluation.metric_view import NAMES, RANKING, metric_of
from evenhand.reports.headline import unit_of, worst
from evenhand.reports.model_style import column_styles, column_titles, distinct_methods
from evenhand.reports.rates import Axis, Estimate, RateRow, Record, joined, measure_rows, of_row, rate_rows
from evenhand.reports.tables import MOST, rate_table

SIDE_BY_SIDE = 4
"""Methods whose figures fit next to each other; more methods become rows."""


def number_values(rows: Sequence[Record], train_groups: Strings | None) -> dict[str, Any]:
    """Return the rates of every method, from result rows and the groups [M] of a run's training rows."""
    fitted = [row for row in rows if row["status"] == "ok"]
    metric = metric_of(fitted[0]) if fitted else "accuracy"
    methods = distinct_methods(fitted)
    shares = _shares(train_groups)
    measures = measure_rows(fitted, methods, shares)
    method_rows = [_method_row(method, rows) for method in dict.fromkeys(row["method"] for row in rows)]
    tables = {kind: rate_table(fitted, kind) for kind in ("groups", "classes", "cells")}
    return {
        "methods": methods,
        "titles": column_titles(fitted),
        "marks": column_styles(fitted),
        "few_methods": len(methods) <= SIDE_BY_SIDE,
        "unit": unit_of(fitted),
        "metric": metric,
        "metric_title": metric[0].upper() + metric[1:],
        "split": " and ".join(dict.fromkeys(row["split"] for row in fitted)) or "test",
        "interval_note": _interval_note(len({row["seed"] for row in fitted}), metric),
        "measures": measures,
        "axis": Axis.of([*measures, *(row["rates"] for row in method_rows)]),
        "groups": _rates(fitted, methods, "groups"),
        "classes": _rates(fitted, methods, "classes"),
        "method_rows": method_rows,
        "group_table": tables["groups"],
        "class_table": tables["classes"],
        "cells": tables["cells"],
        "cuts": {kind: _cut(table.total) for kind, table in tables.items()},
    }


def kept_values(results: Mapping[str, Any], metric: str = "accuracy") -> dict[str, Any]:
    """Return which method a comparison would keep on each seed, and the rates of following it."""
    summary = (results.get("kept_summary") or {}) if metric == "accuracy" else {}
    unit = "worst_group" if summary.get("worst_group") else "worst_class"
    return {
        "kept_methods": results.get("kept_method") or [],
        "kept_worst": (summary.get(unit) or {}).get("mean"),
        "kept_average": (summary.get("plain") or {}).get("mean"),
    }


def _shares(groups: Strings | None) -> dict[str, float]:
    """Return the groups' shares of the training rows whose group is known."""
    if groups is None:
        return {}
    names, counts = np.unique(groups[groups != ""], return_counts=True)
    return dict(zip(names.tolist(), (counts / max(counts.sum(), 1)).tolist(), strict=True))


def _rates(rows: Sequence[Record], methods: Sequence[str], kind: str) -> dict[str, Any]:
    found = rate_rows(rows, methods, kind)
    shown = found if len(found) <= MOST else sorted(found, key=_lowest)[:MOST]
    return {"rows": shown, "axis": Axis.of(shown), "cut": _cut(len(found))}


def _lowest(row: RateRow) -> float:
    return min((one.value for one in row.estimates if one.value is not None), default=2.0)


def _cut(total: int) -> str:
    return f" The {MOST} lowest of {total:,} are shown; all are in results.json." if total > MOST else ""


def _interval_note(seeds: int, metric: str) -> str:
    counted = " Row counts are of the rarer side." if metric in map(NAMES.get, RANKING) else ""
    if seeds > 1:
        return (
            f"Each mark is a mean over {seeds} seeds, each thin stroke one seed, and each line a 95 % "
            "interval over seeds (Student's t). A model that no seed changes "
            f"has its interval over test rows.{counted}"
        )
    return f"Each line is a 95 % interval over test rows.{counted}"


def _method_row(method: str, rows: Sequence[Record]) -> dict[str, Any]:
    own = [row for row in rows if row["method"] == method]
    done = [row for row in own if row["status"] == "ok"]
    low = joined(
        [Estimate(rate["value"], rate.get("low"), rate.get("high")) for row in done if (rate := worst(row))]
    )
    plain = [of_row(row, "plain", {}) for row in done if row["averages"].get("plain") is not None]
    return {
        "method": method,
        "use": own[0].get("group_labels_used", "none"),
        "low": low,
        "average": joined(plain),
        "rates": RateRow(method, [low]),
        "ok": len(done),
        "total": len(own),
        "missing": ", ".join(dict.fromkeys(row["status"] for row in own if row["status"] != "ok")),
    }
