"""Evaluate a predictor, as one row of results."""

from __future__ import annotations

from typing import Any

import numpy as np

from evenhand._typing import Bools, Ints
from evenhand.evaluation.accuracy import evaluate
from evenhand.evaluation.evaluated_rows import EvaluatedRows
from evenhand.evaluation.results import Difference, ResultRow
from evenhand.functional.bootstrap import worst_group_difference


def result_row(
    on: EvaluatedRows, right: Bools, erm_right: Bools | None, *, method: str, seed: int, **more: Any
) -> ResultRow:
    """Evaluate a predictor, and add the paired difference to ERM.

    Parameters
    ----------
    on : EvaluatedRows
        The rows [N] that it predicted.
    right, erm_right : bool [N]
        Whether the predictor, and ERM, classifies each row correctly; ERM may be None.
    method : str
        Its name.
    seed : int
        Its seed, and that of the bootstrap of the difference.
    **more
        Other fields of `ResultRow`.
    """
    found = evaluate(
        right,
        on.y,
        on.classes,
        erm_right=erm_right,
        groups=on.groups,
        group_names=on.group_names,
        train_groups=on.train_groups,
    )
    if on.grouped is not None:
        more["notes"] = [*more.get("notes", ()), *on.grouped.notes]
    return ResultRow(
        method=method,
        seed=seed,
        split=on.split,
        worst_group=found.worst_group,
        worst_class=found.worst_class,
        averages=found.averages,
        gap=found.gap,
        classes=found.classes,
        cells=found.cells,
        groups=found.groups,
        group_labels_from=None if on.grouped is None else on.grouped.estimated,
        difference_to_erm=_difference(right, erm_right, on.group_codes, seed),
        **more,
    )


def _difference(right: Bools, erm_right: Bools | None, groups: Ints | None, seed: int) -> Difference | None:
    if erm_right is None or groups is None:
        return None
    value, low, high = worst_group_difference(right, erm_right, groups, seed)
    return None if np.isnan(value) else Difference(value=value, low=low, high=high)
