"""Results in a notebook: sentences on a model, and its rates as a small HTML table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from evenhand._counts import number_of
from evenhand.data.table_html import MOST, html_rows

Row = Mapping[str, Any]
"""A row of results.json."""


def row_html(row: Row, sentences: Iterable[str]) -> str:
    """Return the sentences, and the rates of groups and classes with the worst first; all escaped."""
    title = f"<p><b>{escape(row['method'])}</b>, seed {row['seed']}, {escape(row['split'])} split</p>"
    worst = row["worst_group"] or row["worst_class"]
    lines = [(f"worst: {worst['name']}", *_figures(worst))] if worst else []
    lines += [(rate["name"], *_figures(rate)) for rate in (*row["groups"], *row["classes"]) if rate["n"]]
    told = "".join(f"<p>{escape(one)}</p>" for one in sentences)
    return title + told + html_rows(("rows", "n", "accuracy", "95 % interval"), lines[:MOST])


def rows_html(rows: Sequence[Row], sentences: Iterable[str]) -> str:
    """Return the sentences, and the worst group or class of each method and seed; all escaped."""
    lines = [(row["method"], str(row["seed"]), *_worst(row)) for row in rows[:MOST]]
    told = "".join(f"<p>{escape(one)}</p>" for one in sentences)
    more = number_of(len(rows) - MOST, "more row is", "more rows are")
    left = f"<p>{more} not shown</p>" if len(rows) > MOST else ""
    header = ("method", "seed", "worst group or class", "n", "accuracy", "95 % interval")
    return told + html_rows(header, lines) + left


def _worst(row: Row) -> tuple[str, ...]:
    worst = row["worst_group"] or row["worst_class"]
    if worst is None:
        return ": ".join(filter(None, (row["status"], row["reason"]))), "", "", ""
    return worst["name"], *_figures(worst)


def _figures(rate: Row) -> tuple[str, str, str]:
    return f"{rate['n']:,}", f"{rate['value']:.3f}", f"{rate['low']:.3f} to {rate['high']:.3f}"
