"""Rows of results by another metric: its rates replace the accuracies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evenhand._errors import EvenhandError, NotAllowedError
from evenhand.evaluation.results import ResultRow, summarize

NAMES: dict[str, str] = {
    "accuracy": "accuracy",
    "auroc": "AUROC",
    "average_precision": "average precision",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
}
RANKING = ("auroc", "average_precision")
"""The metrics whose n is the smaller side."""
_ONE_CLASS = "no {}: the evaluated images are of one class alone, and it compares a class with the others"


def metric_of(row: Mapping[str, Any]) -> str:
    """Return the name of the metric whose rates a row holds, as written in sentences and headers."""
    return NAMES[row.get("metric", "accuracy")]


def by_metric(row: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """Return a row of results with its accuracies replaced by the rates of a metric.

    Fields that exist only for accuracy become None or empty: the averages over rows and over the training
    groups, the cells, and the difference from ERM.

    Parameters
    ----------
    row : mapping
        A row of results.json, or a mapping with the same keys, such as an audit.
    metric : str
        `accuracy`, `auroc`, `average_precision`, `precision`, `recall` or `f1`.

    Raises
    ------
    EvenhandError
        If there is no such metric, or the row does not hold it.
    """
    if metric not in NAMES:
        raise NotAllowedError.of("metric", metric, NAMES)
    if metric == "accuracy" or row.get("status", "ok") != "ok":
        return dict(row)
    found = (row.get("figures") or {}).get(metric)
    if found is None:
        raise EvenhandError(
            f"metric: the results of {row['method']} have no {metric}: they are from an earlier version, or "
            "have too many rows and classes to rank; run the command again, or choose precision, recall or "
            "f1"
        )
    values = [rate["value"] for rate in found["groups"] or found["classes"] if rate["value"] is not None]
    means = {name: found[name] for name in ("class_mean", "group_mean")}
    one_class = metric in RANKING and not any(rate["n"] for rate in found["classes"])
    return {
        **row,
        "metric": metric,
        "notes": [*row.get("notes", ()), *([_ONE_CLASS.format(NAMES[metric])] if one_class else ())],
        **{name: found[name] for name in ("classes", "groups", "worst_class", "worst_group")},
        "averages": {"plain": None, "train_weighted": None, **means},
        "gap": max(values) - min(values) if values else None,
        "cells": [],
        "difference_to_erm": None,
    }


def results_by_metric(results: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """Return all of results.json by a metric, with its summaries over seeds.

    Raises
    ------
    EvenhandError
        As `by_metric`.
    """
    rows = [by_metric(row, metric) for row in results["rows"]]
    if metric == "accuracy":
        return dict(results)
    kept = {(one["method"], one["seed"]) for one in results["kept_method"]}
    name = (results["kept_summary"] or {}).get("method", "")
    winners = [{**row, "method": name} for row in rows if (row["method"], row["seed"]) in kept]
    return {
        **results,
        "metric": metric,
        "rows": rows,
        "summary": _summaries(rows),
        "kept_summary": next(iter(_summaries(winners)), None),
    }


def _summaries(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = [ResultRow.model_validate({**row, "figures": {}}) for row in rows]
    return [one.model_dump(mode="json") for one in summarize(found)]
