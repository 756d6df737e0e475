"""What known groups show of a shortcut that the rows without them do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenhand.audits.associations import Associations
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.gaps import Gap, find_gaps
from evenhand.runs.models import Stage

FEWEST = 10
"""Training rows of a group from which on a method can learn from it."""


@dataclass(frozen=True)
class GroupSign:
    """A group that errs beyond chance and contradicts what goes with its label.

    Attributes
    ----------
    column : str
        The column.
    group : str
        The group, as `waterbird / land`.
    trained : int
        Training rows of it.
    """

    column: str
    group: str
    trained: int


def group_sign(models: EvaluatedModels, stage: Stage, found: Associations) -> GroupSign | None:
    """Return the group that a model errs most on, if its column goes with the label and the group does not.

    A column goes with the label where its verdict is `confounded`. A group contradicts it where its value is
    rarer in its class than in all training rows.

    Parameters
    ----------
    models : EvaluatedModels
        The models with their predictions.
    stage : Stage
        The one of `models.on_test` whose errors are counted.
    found : Associations
        The verdicts on columns.
    """
    column = models.table.grouped and models.table.grouped.column
    if column not in [one.column for one in found.columns if one.verdict == "confounded"]:
        return None
    assert column is not None
    signs = [(gap, *_trained(models, column, gap)) for gap in find_gaps(models, stage) if gap.beyond_chance]
    against = [(gap.lift, gap.name, n) for gap, n, rarer in signs if rarer]
    return GroupSign(column, *max(against, key=lambda one: one[0])[1:]) if against else None


def _trained(models: EvaluatedModels, column: str, gap: Gap) -> tuple[int, bool]:
    """Return the training rows of a group, and whether its value is rarer in its class than in all."""
    rows = models.table.rows("train")
    groups, values, y = models.groups(rows), models.table.attributes[column][rows], models.table.y[rows]
    assert groups is not None
    tested = models.split.test[models.evaluated.groups == gap.name][0]
    own, value = models.table.y[tested], models.table.attributes[column][tested]
    known = values != ""
    return int((groups == gap.name).sum()), bool(
        np.mean(values[known & (y == own)] == value) < np.mean(values[known] == value)
    )
