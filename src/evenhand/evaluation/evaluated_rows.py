"""The rows that a predictor is evaluated on, taken out of their table once, and the groups that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from evenhand._typing import Floats, Ints, Strings
from evenhand.data.crossed import cross
from evenhand.data.estimated import EstimatedColumn
from evenhand.data.manifest import Manifest
from evenhand.data.partition import SplitRows
from evenhand.data.table import FeatureTable, group_labels
from evenhand.evaluation.class_metrics import Figure, Figures, figures
from evenhand.evaluation.group_by import check_group_by


@dataclass(frozen=True)
class EvaluatedRows:
    """The input of an evaluation of N rows, besides predictions.

    Attributes
    ----------
    y : int64 [N]
        Class codes, positions in `classes`.
    classes : sequence of C str
        Class names.
    split : str
        What the results call these rows.
    values : str [N] or None
        Values of the attribute that makes the groups, empty where unknown; None without an attribute.
    value_names : list of str, default=[]
        All values, in order.
    group_names : list of str, default=[]
        All groups, those without rows included.
    train_groups : str [M], optional
        Groups of the training rows, for the average weighted by training.
    group_labels_from : EstimatedColumn, optional
        The review that estimated the attribute.
    notes : list of str, default=[]
        What a reader of group figures should know.
    """

    y: Ints
    classes: Sequence[str]
    split: str
    values: Strings | None = None
    value_names: Sequence[str] = ()
    group_names: Sequence[str] = ()
    train_groups: Strings | None = None
    group_labels_from: EstimatedColumn | None = None
    notes: Sequence[str] = ()

    @cached_property
    def groups(self) -> Strings | None:
        """The group of each row, `class / value`, empty where it is in none; None without an attribute."""
        if self.values is None:
            return None
        return group_labels(np.asarray(self.classes)[self.y], self.values)

    @cached_property
    def group_codes(self) -> Ints | None:
        """The position of each row's group in `group_names`, −1 in none; None without an attribute."""
        if self.groups is None:
            return None
        places = {name: place for place, name in enumerate(self.group_names)}
        return np.array([places.get(str(group), -1) for group in self.groups], dtype=np.int64)

    def figures(self, predicted: Ints, logits: Floats | None) -> dict[Figure, Figures]:
        """Return the `figures` of a predictor, from its codes [N] and logits [N, C]."""
        return figures(
            self.y,
            predicted,
            logits,
            self.classes,
            values=self.values,
            value_names=self.value_names,
            group_names=self.group_names,
        )


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

    Several attributes are crossed. Cells are counted on the rows that `parts` tests on. If a review estimated
    some of them, the combination may be used only for what all of them may be used for.

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


def evaluated_rows(table: FeatureTable, rows: SplitRows, attribute: str | None) -> EvaluatedRows:
    """Return the test rows of a table, with the groups that an attribute makes."""
    y, classes = table.y[rows.test], table.classes
    if attribute is None:
        return EvaluatedRows(y, classes, rows.tested_on)
    values, train_groups = table.values(attribute), table.groups(attribute, table.rows("train"))
    crossed, estimated = table.crossed.get(attribute), table.estimated.get(attribute)
    # Not all combinations of attributes have rows.
    labels = None if crossed is None else table.labels(np.arange(len(table)))
    return EvaluatedRows(
        y,
        classes,
        rows.tested_on,
        values[rows.test],
        value_names(values),
        group_names(classes, values, labels),
        train_groups,
        estimated,
        [one.sentence() for one in (crossed, estimated) if one is not None],
    )


def group_names(classes: Sequence[str], values: Strings, labels: Strings | None = None) -> list[str]:
    """Return the names of the groups class × known value of an attribute, ordered by class.

    With the labels [N] of the same rows, groups without rows are left out.
    """
    names = [f"{label} / {value}" for label in classes for value in value_names(values)]
    if labels is None:
        return names
    there = set(group_labels(labels, values).tolist())
    return [name for name in names if name in there]


def value_names(values: Strings) -> list[str]:
    """Return the known values of an attribute in order."""
    return [str(value) for value in np.unique(values) if value != ""]
