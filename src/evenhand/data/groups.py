"""The groups of rows, class × value, that an attribute makes, or several attributes together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evenhand._typing import Ints, Strings
from evenhand.data.crossed import Crossed
from evenhand.data.estimated import EstimatedColumn


@dataclass(frozen=True)
class Groups:
    """The groups of N rows.

    Attributes
    ----------
    column : str
        The attribute, or several with commas between them.
    values : str [N]
        Its value, or their combination; the empty string where it is unknown.
    y : int64 [N]
        Class codes, positions in `classes`; negative without a label.
    classes : sequence of C str
        Class names.
    crossed : Crossed or None
        How the attributes were combined, if there are several.
    estimated : EstimatedColumn or None
        The review that estimated the attribute; of several, the one that may be used for less.
    """

    column: str
    values: Strings
    y: Ints
    classes: Sequence[str]
    crossed: Crossed | None = None
    estimated: EstimatedColumn | None = None

    def of(self, rows: Ints) -> Strings:
        """Return "class / value" for labeled `rows`; the empty string where the value is unknown."""
        return group_labels(np.asarray(self.classes)[self.y[rows]], self.values[rows])

    @cached_property
    def value_names(self) -> list[str]:
        """The known values in order."""
        return [str(value) for value in np.unique(self.values) if value != ""]

    @cached_property
    def names(self) -> list[str]:
        """All groups, ordered by class; of several attributes only those that have rows."""
        names = [f"{label} / {value}" for label in self.classes for value in self.value_names]
        if self.crossed is None:
            return names
        there = set(self.of(np.flatnonzero(self.y >= 0)).tolist())
        return [name for name in names if name in there]

    @property
    def notes(self) -> list[str]:
        """What a reader of group figures should know."""
        return [one.sentence() for one in (self.crossed, self.estimated) if one is not None]


def group_labels(labels: Strings, values: Strings) -> Strings:
    """Return the group `label / value` of each row [N]; the empty string where the value is unknown."""
    return np.where(values == "", "", np.char.add(np.char.add(labels, " / "), values))
