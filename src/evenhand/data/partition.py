"""Which rows a fit trains on, validates on and is tested on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._random import child_seed
from evenhand._typing import Ints
from evenhand.data.splits import HELD_OUT, hold_out
from evenhand.data.table import FeatureTable


@dataclass(frozen=True)
class SplitRows:
    """Row numbers by part.

    Attributes
    ----------
    train, validation, test : int64 [n]
        The parts; without validation rows n = 0.
    tested_on : str
        The split that `test` is.
    temperature : int64 [n] or None
        Rows to fit a temperature on; None if none is fitted.
    """

    train: Ints
    validation: Ints
    test: Ints
    tested_on: str
    temperature: Ints | None = None


def parts(table: FeatureTable, validation_from: Literal["train", "given"]) -> SplitRows:
    """Return the rows of each part.

    With `train` no row is set apart: a method that chooses holds rows out of training, or cross-fits, by
    itself, so that what it chooses on has the training distribution and nothing about groups leaks in. With
    `given` the store's own validation split is taken.

    Raises
    ------
    EvenhandError
        If there are no training rows, a class has none, no rows to test on, or `given` without a split.
    """
    train, given, test = (table.rows(split) for split in ("train", "validation", table.tested_on))
    counts = np.bincount(table.y[train], minlength=len(table.classes))
    if (counts == 0).any():
        name = table.classes[int(counts.argmin())]
        raise EvenhandError(f"class {name!r} has no training rows; add some, or leave the class out")
    if not len(test):
        raise EvenhandError("the store has neither test nor validation rows; add a split to evaluate on")
    if validation_from == "given" and not len(given):
        raise EvenhandError(
            "validation_from: 'given' needs a validation split, which the store lacks; use 'train'"
        )
    validation = given if validation_from == "given" else given[:0]
    return SplitRows(train, validation, test, table.tested_on)


def with_held_out(table: FeatureTable, rows: SplitRows, seed: int) -> SplitRows:
    """Return `rows` with a seeded share of every class's training rows to validate on, if there are none."""
    if len(rows.validation):
        return rows
    kept, held = _hold_out(table, rows.train, seed)
    return replace(rows, train=kept, validation=held)


def with_temperature(table: FeatureTable, rows: SplitRows, seed: int) -> SplitRows:
    """Return `rows` with those to fit a temperature on.

    They are the validation rows if there are any. Otherwise a seeded fifth of the training rows of every
    class is held out for the temperature alone.

    Raises
    ------
    EvenhandError
        If no class has five training rows.
    """
    if len(rows.validation):
        return replace(rows, temperature=rows.validation)
    kept, held = _hold_out(table, rows.train, child_seed(seed, "confidence"))
    if not len(held):
        raise EvenhandError(
            "calibrate_confidence: it needs rows to hold out, but no class has 5 training rows; leave it out"
        )
    return replace(rows, train=kept, temperature=held)


def _hold_out(table: FeatureTable, train: Ints, seed: int) -> tuple[Ints, Ints]:
    kept, held = hold_out(table.y[train], seed=seed, units=table.unit_codes(train))
    return train[kept], train[held]


def held_out(table: FeatureTable, seed: int) -> SplitRows:
    """Return `parts` with a seeded fifth of every class's training rows to choose on.

    Raises
    ------
    EvenhandError
        As `parts`, or if no class can spare a row.
    """
    rows = with_held_out(table, parts(table, "train"), seed)
    if not len(rows.validation):
        raise EvenhandError(
            f"no class has {round(1 / HELD_OUT)} training rows, the least from which one can be held out; "
            "add training rows"
        )
    return rows


def shown_to(table: FeatureTable, rows: SplitRows, uses: str) -> SplitRows:
    """Return `rows` with the validation rows that a method may see by `uses`, where its group labels are.

    A method that uses no group labels, or those of training rows, sees none. A method that uses those of
    validation rows sees the store's own validation split, in the distribution that its authors meant. Where
    the store has none, or is tested on it, the method sees the held-out rows.
    """
    if uses != "validation":
        return replace(rows, validation=rows.validation[:0])
    given = table.rows("validation")
    return replace(rows, validation=given) if len(given) and rows.tested_on == "test" else rows
