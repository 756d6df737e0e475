"""Accuracy by class and attribute, where the attribute of a row is known up to a probability."""

from __future__ import annotations

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Floats
from evenhand.evaluation.metrics import Rate
from evenhand.functional.intervals import percentile_interval
from evenhand.review.attribute_probe import AttributeProbe
from evenhand.review.rows import ReviewRows

DRAWS = 400
"""Draws behind an interval."""


def group_accuracies(chance: Floats, rows: ReviewRows) -> tuple[Floats, Floats]:
    """Return the accuracy of class × (no, yes) and the expected number of rows, both [C, 2].

    Accuracy is NaN where a class has no row.
    """
    sides = np.stack([1 - chance, chance], axis=1)
    of_class = np.eye(len(rows.table.classes))[rows.y]
    counts = of_class.T @ sides
    right = of_class.T @ (sides * rows.right[:, None])
    return np.divide(right, counts, out=np.full_like(right, np.nan), where=counts > 0), counts


def drawn_accuracies(rows: ReviewRows, probe: AttributeProbe, seed: int) -> Floats:
    """Return accuracies of class × (no, yes) on draws, [DRAWS, C, 2]; NaN for a class without rows."""
    generator = numpy_stream(seed, "review", "draws")
    n_cells = 2 * len(rows.table.classes)
    found = np.empty((DRAWS, n_cells))
    for place, chance in enumerate(probe.draws(rows, DRAWS, generator)):
        cell = 2 * rows.y + (generator.random(len(rows)) < chance)
        n = np.bincount(cell, minlength=n_cells)
        right = np.bincount(cell, weights=rows.right, minlength=n_cells)
        found[place] = generator.beta(right + 0.5, n - right + 0.5)
    known = np.bincount(rows.y, minlength=n_cells // 2) > 0
    found[:, ~np.repeat(known, 2)] = np.nan
    return found.reshape(DRAWS, -1, 2)


def with_interval(name: str, value: float, count: float, drawn: Floats) -> Rate:
    """Return a rate with the interval of its draws."""
    if not np.isfinite(value):
        return Rate(name=name, n=0, value=None, low=None, high=None)
    low, high = percentile_interval(drawn)
    return Rate(name=name, n=round(count), value=value, low=min(low, value), high=max(high, value))
