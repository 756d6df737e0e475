"""Evaluate a predictor, as one row of results."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from evenhand._typing import Bools, Ints
from evenhand.data.crossed import cross
from evenhand.data.manifest import Manifest
from evenhand.data.table import FeatureTable
from evenhand.evaluation.accuracy import evaluate
from evenhand.evaluation.evaluated_rows import EvaluatedRows
from evenhand.evaluation.group_by import check_group_by
from evenhand.evaluation.results import Difference, ResultRow
from evenhand.functional.bootstrap import worst_group_difference


def group_column(table: FeatureTable | Manifest, group_by: str | None) -> str | None:
    """Return the attribute that makes the groups: `group_by`, or the first attribute, or None without any.

    Several attributes are one name, `ground,time`.

    Raises
    ------
    EvenhandError
        If `group_by` is not an attribute of the table.
    """
    what = "this store" if isinstance(table, FeatureTable) else "this manifest"
    names = check_group_by(group_by, table.attributes, what=what)
    return ",".join(names) or next(iter(table.attributes), None)


def with_groups(table: FeatureTable, group_by: str | None) -> tuple[FeatureTable, str | None]:
    """Return a table that holds the attribute of `group_column`, and that attribute.

    Several attributes are crossed. Cells are counted on the rows that `parts` tests on. Where a review
    estimated some of them, the combination is known as well as the one that may be used for less.

    Raises
    ------
    EvenhandError
        As `group_column`.
    """
    column = group_column(table, group_by)
    if column is None or column in table.attributes:
        return table, column
    names = column.split(",")
    tested = "test" if len(table.rows("test")) else "validation"
    crossed = cross(table.attributes, names, table.labels(np.arange(len(table))), table.split == tested)
    # "evaluation" comes before "training"
    about = sorted(
        (table.estimated[name] for name in names if name in table.estimated), key=lambda one: one.used_for
    )
    estimated = {**table.estimated, column: about[0]} if about else table.estimated
    return replace(table, crossed={**table.crossed, column: crossed}, estimated=estimated), column


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
    if on.notes:
        more["notes"] = [*more.get("notes", ()), *on.notes]
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
        group_labels_from=on.group_labels_from,
        difference_to_erm=_difference(right, erm_right, on.group_codes, seed),
        **more,
    )


def _difference(right: Bools, erm_right: Bools | None, groups: Ints | None, seed: int) -> Difference | None:
    if erm_right is None or groups is None:
        return None
    value, low, high = worst_group_difference(right, erm_right, groups, seed)
    return None if np.isnan(value) else Difference(value=value, low=low, high=high)
