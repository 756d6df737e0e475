"""A predictor's test rows as one row of results."""

from __future__ import annotations

from typing import Any

import numpy as np

from evenhand._typing import Bools, Ints
from evenhand.audit.metrics import evaluate
from evenhand.data.manifest import Manifest
from evenhand.data.table import FeatureTable
from evenhand.experiments.group_by import check_group_by
from evenhand.experiments.results import Difference, ResultRow
from evenhand.experiments.splits import Rows
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
    values = [value for value in np.unique(table.attributes[column]) if value != ""]
    return [f"{label} / {value}" for label in table.classes for value in values]


def group_codes(table: FeatureTable, column: str | None, rows: Ints) -> Ints | None:
    """Return the place of each row's group in `group_names`, −1 where unknown; None without an attribute."""
    if column is None:
        return None
    numbers = {name: place for place, name in enumerate(group_names(table, column))}
    codes = [numbers.get(str(group), -1) for group in table.groups(column, rows)]
    return np.array(codes, dtype=np.int64)


def result_row(
    table: FeatureTable,
    rows: Rows,
    right: Bools,
    erm_right: Bools | None,
    *,
    column: str | None,
    method: str,
    seed: int,
    **more: Any,
) -> ResultRow:
    """Evaluate correctness [len(rows.test)] on the test rows, with the paired difference to ERM if known."""
    names = [] if column is None else group_names(table, column)
    found = evaluate(
        right,
        table.y[rows.test],
        table.classes,
        erm_right=erm_right,
        groups=None if column is None else table.groups(column, rows.test),
        group_names=names,
        train_groups=None if column is None else table.groups(column, table.rows("train")),
    )
    return ResultRow(
        method=method,
        seed=seed,
        split=rows.tested_on,
        worst_group=found.worst_group,
        worst_class=found.worst_class,
        averages=found.averages,
        gap=found.gap,
        classes=found.classes,
        cells=found.cells,
        groups=found.groups,
        difference_to_erm=_difference(right, erm_right, group_codes(table, column, rows.test), seed),
        **more,
    )


def _difference(right: Bools, erm_right: Bools | None, groups: Ints | None, seed: int) -> Difference | None:
    if erm_right is None or groups is None:
        return None
    value, low, high = worst_group_difference(right, erm_right, groups, seed)
    return None if np.isnan(value) else Difference(value=value, low=low, high=high)
