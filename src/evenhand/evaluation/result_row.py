"""A predictor's test rows as one row of results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evenhand._typing import Bools, Ints, Strings
from evenhand.data.manifest import Manifest
from evenhand.data.partition import SplitRows
from evenhand.data.table import FeatureTable
from evenhand.evaluation.group_by import check_group_by
from evenhand.evaluation.metrics import evaluate
from evenhand.evaluation.results import Difference, ResultRow
from evenhand.functional.bootstrap import worst_group_difference


def group_column(table: FeatureTable | Manifest, group_by: str | None) -> str | None:
    """Return the attribute that makes groups: `group_by`, else the first there is, else None.

    Raises
    ------
    EvenhandError
        If `group_by` is no attribute of the table.
    """
    what = "store" if isinstance(table, FeatureTable) else "manifest"
    check_group_by(group_by, table.attributes, what=what)
    return group_by or next(iter(table.attributes), None)


def group_names(table: FeatureTable, column: str) -> list[str]:
    """Return all groups label × known attribute value, classes first."""
    return names_of_groups(table.classes, table.attributes[column])


def names_of_groups(classes: Sequence[str], values: Strings) -> list[str]:
    """Return the groups of all classes with all known values of an attribute, classes first."""
    known = [value for value in np.unique(values) if value != ""]
    return [f"{label} / {value}" for label in classes for value in known]


def group_codes(table: FeatureTable, column: str | None, rows: Ints) -> Ints | None:
    """Return the place of each row's group in `group_names`, −1 where unknown; None without an attribute."""
    return None if column is None else _codes(table.groups(column, rows), group_names(table, column))


def _codes(groups: Strings | None, names: Sequence[str]) -> Ints | None:
    if groups is None:
        return None
    numbers = {name: place for place, name in enumerate(names)}
    return np.array([numbers.get(str(group), -1) for group in groups], dtype=np.int64)


def result_row(
    table: FeatureTable,
    rows: SplitRows,
    right: Bools,
    erm_right: Bools | None,
    *,
    column: str | None,
    method: str,
    seed: int,
    **more: Any,
) -> ResultRow:
    """Evaluate correctness [len(rows.test)] on the test rows, with the paired difference to ERM if known."""
    return evaluated(
        right,
        table.y[rows.test],
        table.classes,
        erm_right,
        groups=None if column is None else table.groups(column, rows.test),
        group_names=[] if column is None else group_names(table, column),
        train_groups=None if column is None else table.groups(column, table.rows("train")),
        method=method,
        seed=seed,
        split=rows.tested_on,
        **more,
    )


def evaluated(
    right: Bools,
    y: Ints,
    classes: Sequence[str],
    erm_right: Bools | None,
    *,
    groups: Strings | None,
    group_names: Sequence[str],
    train_groups: Strings | None = None,
    seed: int,
    **more: Any,
) -> ResultRow:
    """Evaluate correctness [N] as `evaluate` does, with the paired difference to ERM."""
    found = evaluate(
        right,
        y,
        classes,
        erm_right=erm_right,
        groups=groups,
        group_names=group_names,
        train_groups=train_groups,
    )
    return ResultRow(
        seed=seed,
        worst_group=found.worst_group,
        worst_class=found.worst_class,
        averages=found.averages,
        gap=found.gap,
        classes=found.classes,
        cells=found.cells,
        groups=found.groups,
        difference_to_erm=_difference(right, erm_right, _codes(groups, group_names), seed),
        **more,
    )


def _difference(right: Bools, erm_right: Bools | None, groups: Ints | None, seed: int) -> Difference | None:
    if erm_right is None or groups is None:
        return None
    value, low, high = worst_group_difference(right, erm_right, groups, seed)
    return None if np.isnan(value) else Difference(value=value, low=low, high=high)
