"""Figures with intervals, and rows of them as a table in the terminal or in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from evenhand.functional.intervals import percentile_interval, t_interval

DRAWS = 10_000
Row = Mapping[str, Any]


def over_families(values: Iterable[tuple[str, float | None]], kind: str = "mean") -> dict[str, float]:
    """Return the mean over families of sets, each the mean of its values, and its 95 % bootstrap interval.

    Seeds and plans of one recipe are no independent evidence, so whole families are redrawn.

    Parameters
    ----------
    values : pairs of str and float or None
        Family and value of a run; None is left out.
    kind : "mean" or "difference"
        The name of the middle, which tells `show` whether to print signs.
    """
    by_family: dict[str, list[float]] = {}
    for family, value in values:
        if value is not None:
            by_family.setdefault(family, []).append(value)
    means = np.array([np.mean(found) for found in by_family.values()])
    drawn = np.random.default_rng(0).choice(means, (DRAWS, len(means))).mean(axis=1)
    low, high = percentile_interval(drawn)
    return {kind: float(means.mean()), "low": low, "high": high}


def over_seeds(gaps: Sequence[float]) -> dict[str, float]:
    """Return the mean of paired differences, one per seed, and its 95 % t-interval, NaN for one seed."""
    low, high = t_interval(gaps)
    return {"difference": float(np.mean(gaps)), "low": low, "high": high}


def show(title: str, rows: Sequence[Row], *, markdown: bool) -> None:
    """Print rows under the names of their figures."""
    cells = [[_text(value) for value in row.values()] for row in rows]
    if markdown:
        lines = [list(rows[0]), ["---"] * len(rows[0]), *cells]
        print(f"{title}\n", *(f"| {' | '.join(line)} |" for line in lines), sep="\n", end="\n\n")
        return
    table = Table(*rows[0], title=title)
    for line in cells:
        table.add_row(*line)
    Console(width=190).print(table)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        sign = "+" if "difference" in value else ""
        middle, low, high = (f"{figure:{sign}.3f}" for figure in value.values())
        return f"{middle} [{low}, {high}]"
    return f"{value:.3f}" if isinstance(value, float) else "" if value is None else str(value)
