"""The rows that a predictor is evaluated on, the groups that they make, and what a predictor gets on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from evenhand._typing import Bools, Floats, Ints, Strings
from evenhand.data.groups import OTHER, Groups
from evenhand.data.partition import SplitRows
from evenhand.data.table import FeatureTable
from evenhand.evaluation.accuracy import evaluate
from evenhand.evaluation.metrics import Figure, Figures, figures
from evenhand.evaluation.results import Difference, ResultRow
from evenhand.functional.bootstrap import worst_group_difference


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
    rows : int64 [N]
        Their places in `grouped`.
    grouped : Groups or None
        The groups of all rows that they are taken from; None without an attribute.
    train : int64 [M], optional
        The training rows, for the average weighted by training.
    """

    y: Ints
    classes: Sequence[str]
    split: str
    rows: Ints
    grouped: Groups | None
    train: Ints | None = None

    @classmethod
    def of(cls, table: FeatureTable, rows: SplitRows) -> EvaluatedRows:
        """Return the test rows of a table, with its groups."""
        y, train = table.y[rows.test], table.rows("train")
        return cls(y, table.classes, rows.tested_on, rows.test, table.grouped, train)

    @cached_property
    def groups(self) -> Strings | None:
        """The group of each row, `class / value`, empty where it is in none; None without an attribute."""
        return None if self.grouped is None else self.grouped.of(self.rows)

    @property
    def group_names(self) -> Sequence[str]:
        """All groups, those without rows included."""
        return [] if self.grouped is None else self.grouped.names

    @cached_property
    def group_codes(self) -> Ints | None:
        """The position of each row's group in `group_names`, −1 in none; None without an attribute."""
        if self.groups is None:
            return None
        places = {name: place for place, name in enumerate(self.group_names)}
        return np.array([places.get(str(group), -1) for group in self.groups], dtype=np.int64)

    @cached_property
    def train_groups(self) -> Strings | None:
        """The groups of the training rows; None without them or without an attribute."""
        return None if self.grouped is None or self.train is None else self.grouped.of(self.train)

    def figures(self, predicted: Ints, logits: Floats | None) -> dict[Figure, Figures]:
        """Return the `figures` of a predictor, from its codes [N] and logits [N, C]."""
        if self.grouped is None:
            return figures(self.y, predicted, logits, self.classes)
        crossed = self.grouped.crossed
        return figures(
            self.y,
            predicted,
            logits,
            self.classes,
            # A cell that is small in one class need not be in another: their rows are compared all the same.
            values=(self.grouped.values if crossed is None else crossed.whole)[self.rows],
            value_names=self.grouped.value_names,
            group_names=self.group_names,
            rest=None if crossed is None else OTHER,
        )

    def result_row(
        self, right: Bools, erm_right: Bools | None, *, method: str, seed: int, **more: Any
    ) -> ResultRow:
        """Evaluate a predictor, as one row of results with the paired difference to ERM.

        Parameters
        ----------
        right, erm_right : bool [N]
            Whether the predictor, and ERM, classifies each row correctly; ERM may be None.
        method : str
            Its name.
        seed : int
            Seed of the predictor, and of the bootstrap of the difference.
        **more
            Other fields of `ResultRow`.
        """
        found = evaluate(
            right,
            self.y,
            self.classes,
            erm_right=erm_right,
            groups=self.groups,
            group_names=self.group_names,
            train_groups=self.train_groups,
        )
        if self.grouped is not None:
            more["notes"] = [*more.get("notes", ()), *self.grouped.notes]
        return ResultRow(
            method=method,
            seed=seed,
            split=self.split,
            worst_group=found.worst_group,
            worst_class=found.worst_class,
            averages=found.averages,
            gap=found.gap,
            classes=found.classes,
            cells=found.cells,
            groups=found.groups,
            group_labels_from=None if self.grouped is None else self.grouped.estimated,
            difference_to_erm=_difference(right, erm_right, self.group_codes, seed),
            **more,
        )


def _difference(right: Bools, erm_right: Bools | None, groups: Ints | None, seed: int) -> Difference | None:
    if erm_right is None or groups is None:
        return None
    value, low, high = worst_group_difference(right, erm_right, groups, seed)
    return None if np.isnan(value) else Difference(value=value, low=low, high=high)
