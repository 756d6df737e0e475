"""The rows to ask people about, and what is known of each before the answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evenhand._typing import Bools, Floats, Ints
from evenhand.audits.evaluate import evaluate_models
from evenhand.data.table import FeatureTable
from evenhand.review.signs import Signs
from evenhand.runs.contents import run_on

RARE, USUAL = 0.15, 0.5
"""Quantiles within a class of the margin of the shortcut probe: below the first lie the likely exceptions,
above the second the usual rows."""


@dataclass(frozen=True)
class ReviewRows:
    """Evaluated rows with their signs of the attribute.

    Attributes
    ----------
    table : FeatureTable
        Rows of the store.
    numbers : int64 [N]
        Row numbers in the store, ascending.
    y : int64 [N]
        Class codes.
    right : bool [N]
        Whether the model whose groups are evaluated classifies the row correctly.
    model : str
        Its name.
    signs : Signs
        The columns that the probe of an attribute reads.
    features : float64 [N, S]
        The signs of these rows.
    rank : float64 [N]
        Quantile of the shortcut probe's margin within the row's class: exceptions come first.
    """

    table: FeatureTable
    numbers: Ints
    y: Ints
    right: Bools
    model: str
    signs: Signs
    features: Floats
    rank: Floats

    def __len__(self) -> int:
        return len(self.numbers)


def review_rows(table: FeatureTable, *, run: Path | None = None, seed: int = 0) -> ReviewRows:
    """Return the rows of the evaluation split; of more than 20,000, a sample of 20,000.

    Parameters
    ----------
    table : FeatureTable
        Rows of the store.
    run : Path, optional
        A run on it, whose model is evaluated; zero-shot (or class centroids) by default.
    seed : int, default=0
        Seed of the sample.

    Raises
    ------
    EvenhandError
        If the table cannot be evaluated, or the run is damaged or belongs to another store.
    """
    found = None if run is None else run_on(table, run)
    models = evaluate_models(table.with_groups(None), seed, found)
    # Slices may use validation rows too; accuracy is that of the evaluation split alone.
    places = np.flatnonzero(np.isin(models.split.test, models.rows.numbers))
    numbers, stage = models.split.test[places], models.on_test[-1]
    signs = Signs.of(table, seed)
    y = table.y[numbers]
    return ReviewRows(
        table,
        numbers,
        y,
        stage.right[places],
        stage.name,
        signs,
        signs.read(table, numbers),
        ranks(signs.margins(table, numbers), y),
    )


def ranks(margins: Floats, y: Ints) -> Floats:
    """Return the quantile of each margin [N] within its class of y [N]: (rank + ½) / rows of the class."""
    found = np.empty(len(y))
    for code in np.unique(y):
        of_class = np.flatnonzero(y == code)
        order = np.argsort(np.argsort(margins[of_class], kind="stable"), kind="stable")
        found[of_class] = (order + 0.5) / len(of_class)
    return found
