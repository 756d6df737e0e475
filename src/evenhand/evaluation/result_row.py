"""Evaluate a predictor on its test rows, as one row of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evenhand._typing import Bools, Floats, Ints, Strings
from evenhand.data.crossed import cross
from evenhand.data.manifest import Manifest
from evenhand.data.partition import SplitRows
from evenhand.data.table import FeatureTable
from evenhand.evaluation.accuracy import evaluate
from evenhand.evaluation.class_metrics import Figure, Figures, figures
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


def group_names(classes: Sequence[str], values: Strings, labels: Strings | None = None) -> list[str]:
    """Return the names of the groups class × known value of an attribute, ordered by class.

    With the labels [N] of the same rows, groups without rows are left out.
    """
    names = [f"{label} / {value}" for label in classes for value in value_names(values)]
    if labels is None:
        return names
    there = set(np.char.add(np.char.add(labels, " / "), values).tolist())
    return [name for name in names if name in there]


def table_group_names(table: FeatureTable, attribute: str | None) -> list[str]:
    """Return the names of all groups of a table; of combinations of attributes, those that have rows."""
    if attribute is None:
        return []
    labels = table.labels(np.arange(len(table))) if attribute in table.crossed else None
    return group_names(table.classes, table.values(attribute), labels)


def value_names(values: Strings) -> list[str]:
    """Return the known values of an attribute in order."""
    return [str(value) for value in np.unique(values) if value != ""]


def group_codes(table: FeatureTable, attribute: str | None, rows: Ints) -> Ints | None:
    """Return each row's position in `group_names`, −1 where unknown; None without an attribute."""
    if attribute is None:
        return None
    return _codes(table.groups(attribute, rows), table_group_names(table, attribute))


def _codes(groups: Strings, names: Sequence[str]) -> Ints:
    numbers = {name: place for place, name in enumerate(names)}
    return np.array([numbers.get(str(group), -1) for group in groups], dtype=np.int64)


def table_figures(
    table: FeatureTable, rows: Ints, attribute: str | None, predicted: Ints, logits: Floats | None
) -> dict[Figure, Figures]:
    """Return the `figures` of a predictor on rows [N] of a table, from its codes [N] and logits [N, C]."""
    values = None if attribute is None else table.values(attribute)
    return figures(
        table.y[rows],
        predicted,
        logits,
        table.classes,
        values=None if values is None else values[rows],
        value_names=[] if values is None else value_names(values),
        group_names=table_group_names(table, attribute),
    )


def result_row(
    table: FeatureTable,
    rows: SplitRows,
    right: Bools,
    erm_right: Bools | None,
    *,
    attribute: str | None,
    method: str,
    seed: int,
    **more: Any,
) -> ResultRow:
    """Evaluate a predictor on the test rows of a table.

    Parameters
    ----------
    table : FeatureTable
        The data.
    rows : SplitRows
        Its `test` rows are evaluated.
    right, erm_right : bool [N]
        Whether the predictor, and ERM, classifies each test row correctly; ERM may be None.
    attribute : str or None
        The attribute that makes the groups.
    method, seed, **more
        Other fields of `ResultRow`.
    """
    estimated = table.estimated.get(attribute or "")
    crossed = table.crossed.get(attribute or "")
    about = [one.sentence() for one in (crossed, estimated) if one is not None]
    if about:
        more["notes"] = [*more.get("notes", ()), *about]
    return result_row_of_arrays(
        right,
        table.y[rows.test],
        table.classes,
        erm_right,
        groups=None if attribute is None else table.groups(attribute, rows.test),
        group_names=table_group_names(table, attribute),
        train_groups=None if attribute is None else table.groups(attribute, table.rows("train")),
        method=method,
        seed=seed,
        split=rows.tested_on,
        group_labels_from=estimated,
        **more,
    )


def result_row_of_arrays(
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
    """Evaluate a predictor as `evaluate` does, and add the paired difference to ERM.

    `seed` also seeds the bootstrap of the difference; `more` are other fields of `ResultRow`.
    """
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
        difference_to_erm=_difference(right, erm_right, groups, group_names, seed),
        **more,
    )


def _difference(
    right: Bools, erm_right: Bools | None, groups: Strings | None, names: Sequence[str], seed: int
) -> Difference | None:
    if erm_right is None or groups is None:
        return None
    value, low, high = worst_group_difference(right, erm_right, _codes(groups, names), seed)
    return None if np.isnan(value) else Difference(value=value, low=low, high=high)
