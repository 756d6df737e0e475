"""Accuracy by class and attribute, if only the probability of the attribute is known for a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Floats
from evenhand.evaluation.accuracy import Rate
from evenhand.functional.intervals import percentile_interval
from evenhand.review.attribute_probe import AttributeProbe
from evenhand.review.rows import ReviewRows

DRAWS = 400
"""Draws behind an interval."""


def group_accuracies(chance: Floats, rows: ReviewRows) -> tuple[Floats, Floats]:
    """Return the accuracy of class × (no, yes) and the expected number of rows, both [C, 2].

    Accuracy is NaN if a class has no row.
    """
    sides = np.stack([1 - chance, chance], axis=1)
    of_class = np.eye(len(rows.table.classes))[rows.y]
    counts = of_class.T @ sides
    right = of_class.T @ (sides * rows.right[:, None])
    return np.divide(right, counts, out=np.full_like(right, np.nan), where=counts > 0), counts


@dataclass(frozen=True)
class DrawnAccuracies:
    """Accuracies of class × (no, yes) on draws; NaN for a class without rows.

    Attributes
    ----------
    values : float64 [B, C, 2]
        Draws.
    lows, highs : float64 [B, C, 2]
        The same, but 0 if a draw misclassifies every row of the group, and 1 if it classifies all
        correctly.
    """

    values: Floats
    lows: Floats
    highs: Floats

    def interval(self, name: str, value: float, count: float, cell: int) -> Rate:
        """Return the rate of a cell with its interval."""
        if not np.isfinite(value):
            return Rate(name=name, n=0, value=None, low=None, high=None)
        lows, highs = (each.reshape(len(each), -1)[:, cell] for each in (self.lows, self.highs))
        low, high = percentile_interval(lows)[0], percentile_interval(highs)[1]
        return Rate(name=name, n=round(count), value=value, low=min(low, value), high=max(high, value))

    def worst(self, least: Rate) -> Rate:
        """Return the lowest rate with the interval of the lowest accuracy of each draw."""
        lows, highs = (np.nanmin(each, axis=(1, 2)) for each in (self.lows, self.highs))
        low, high = percentile_interval(lows)[0], percentile_interval(highs)[1]
        value = least.value or 0.0
        return least.model_copy(update={"low": min(low, value), "high": max(high, value)})


def drawn_accuracies(rows: ReviewRows, probe: AttributeProbe, seed: int) -> DrawnAccuracies:
    """Draw coefficients, then the side of each row, then the accuracy of each group.

    Accuracy is Beta(right + ½, wrong + ½), Jeffreys' posterior, with the limits 0 and 1 where all rows agree,
    as L. D. Brown, T. T. Cai and A. DasGupta, Interval Estimation for a Binomial Proportion, Statistical
    Science 2001, modify its interval.
    """
    generator = numpy_stream(seed, "review", "draws")
    n_cells = 2 * len(rows.table.classes)
    known = np.repeat(np.bincount(rows.y, minlength=n_cells // 2) > 0, 2)
    found = np.empty((3, DRAWS, n_cells))
    for place, chance in enumerate(probe.draws(rows, DRAWS, generator)):
        cell = 2 * rows.y + (generator.random(len(rows)) < chance)
        n = np.bincount(cell, minlength=n_cells)
        right = np.bincount(cell, weights=rows.right, minlength=n_cells)
        drawn = generator.beta(right + 0.5, n - right + 0.5)
        found[:, place] = drawn, np.where(right == 0, 0, drawn), np.where(right == n, 1, drawn)
    found[:, :, ~known] = np.nan
    return DrawnAccuracies(*found.reshape(3, DRAWS, -1, 2))
