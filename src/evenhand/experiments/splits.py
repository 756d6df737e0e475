"""Which rows a fit trains on, validates on and is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Ints
from evenhand.data.splits import hold_out
from evenhand.data.table import FeatureTable


@dataclass(frozen=True)
class Rows:
    """Row numbers by part; `tested_on` names the split that `test` is."""

    train: Ints
    validation: Ints
    test: Ints
    tested_on: str


def parts(table: FeatureTable, seed: int, validation_from: Literal["train", "given"]) -> Rows:
    """Return the rows of each part.

    With `train`, a seeded stratified share of training validates, so that validation has the training
    distribution and nothing about groups leaks in. With `given`, the store's own split is taken.

    Raises
    ------
    EvenhandError
        If there are no training rows, a class has none, no rows to test on, or `given` without a split.
    """
    train, given, test = (table.rows(split) for split in ("train", "validation", "test"))
    counts = np.bincount(table.y[train], minlength=len(table.classes))
    if (counts == 0).any():
        name = table.classes[int(counts.argmin())]
        raise EvenhandError(f"class {name!r} has no training rows; add some, or leave the class out")
    tested_on = "test" if len(test) else "validation"
    test = test if len(test) else given
    if not len(test):
        raise EvenhandError("the store has neither test nor validation rows; add a split to evaluate on")
    if validation_from == "given":
        if not len(given):
            raise EvenhandError("--validation-from given, but the store has no validation split; use train")
        return Rows(train, given, test, tested_on)
    kept, held = hold_out(table.y[train], seed=seed)
    return Rows(train[kept], train[held], test, tested_on)
