"""Whether the training rows show a shortcut: the verdict of the default method, without its repair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from evenhand._random import numpy_stream
from evenhand.data.table import FeatureTable
from evenhand.methods._training.problem import build_problem
from evenhand.methods.auto.cross_fit import cross_fit_references
from evenhand.methods.auto.part import sampled
from evenhand.methods.auto.penalties import thin_grid
from evenhand.methods.auto.rows import Rows
from evenhand.selection.shortcut_verdict import shortcut_verdict

ROWS = 10_000
"""Training rows that are read; a larger set is sampled with the seed, about as many of every class."""
FOLDS = 3
REPEATS = 2


class AuditVerdict(BaseModel):
    """Whether training rows show a shortcut.

    shortcut: `found`, `no sign` or `cannot tell`. reason: one sentence, with the figure behind it. next_step:
    one sentence.
    """

    model_config = ConfigDict(frozen=True)

    shortcut: Literal["found", "no sign", "cannot tell"]
    reason: str
    next_step: str


def verdict_of_fit(kept: Mapping[str, Any]) -> AuditVerdict | None:
    """Return what a fit found, from `kept` of its result; None if its method does not look for one."""
    if "shortcut" not in kept:
        return None
    return AuditVerdict(
        shortcut=kept["shortcut"], reason=kept["shortcut_reason"], next_step=kept["next_step"]
    )


def look_for_shortcut(table: FeatureTable, seed: int) -> AuditVerdict:
    """Read the training rows as `fit` does before it tries a repair, by cross-fitted models.

    Parameters
    ----------
    table : FeatureTable
        Rows of the store.
    seed : int
        Seed of the sample and of the folds.
    """
    train = table.rows("train")
    _, counts = np.unique(table.y[train], return_counts=True)
    if (counts >= FOLDS).sum() < 2:
        return AuditVerdict(
            shortcut="cannot tell", reason="too few training rows to look for one", next_step="add rows"
        )
    places, _ = sampled(table.y[train], np.arange(len(train)), ROWS, numpy_stream(seed, "audit", "shortcut"))
    rows = train[places]
    y = table.y[rows]
    problem = build_problem(
        table.stored(rows), y, table.stored(rows[:0]), y[:0], len(table.classes), table.head, seed
    )
    problem = replace(problem, units=table.unit_codes(rows))
    found = cross_fit_references(Rows.of(problem), thin_grid(problem), FOLDS, REPEATS)
    shortcut, reason, next_step = shortcut_verdict(found.signs, len(found.seen.y))
    return AuditVerdict(shortcut=shortcut, reason=reason, next_step=next_step)
