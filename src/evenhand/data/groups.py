"""The groups of rows, class × value, that an attribute makes, or several attributes together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evenhand._counts import number_of
from evenhand._typing import Bools, Ints, Strings
from evenhand.data.estimated import EstimatedColumn
from evenhand.data.labels import some

FEWEST = 10
"""Images that are evaluated in a cell, class × combination, below which it is pooled."""
OTHER = "other"
BETWEEN = " × "


@dataclass(frozen=True)
class Crossed:
    """The combinations of several attributes, as one attribute of N images.

    Attributes
    ----------
    names : tuple of str
        The attributes.
    values : str [N]
        `land × night`; `other` in a small cell of its class; the empty string where a value is unknown.
    whole : str [N]
        The same before pooling.
    pooled : tuple of str
        The small cells with their evaluated images, as `waterbird / land × night (3)`.
    cells : int
        Cells that have images, before pooling.
    """

    names: tuple[str, ...]
    values: Strings
    whole: Strings
    pooled: tuple[str, ...]
    cells: int

    def sentence(self) -> str:
        """Return what a reader of group figures should know."""
        groups = f"groups are those of {' and '.join(map(repr, self.names))} together"
        if not self.pooled:
            return groups
        return (
            f"{groups}; of {self.cells:,} cells {number_of(len(self.pooled), 'has', 'have')} fewer than "
            f"{FEWEST} images to evaluate, pooled as {OTHER!r}: {some(self.pooled)}"
        )


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

    @classmethod
    def by(
        cls,
        names: Sequence[str],
        columns: Mapping[str, Strings],
        y: Ints,
        classes: Sequence[str],
        evaluated: Bools,
        estimated: EstimatedColumn | None = None,
    ) -> Groups:
        """Return the groups that one or several of `columns` make.

        Several are crossed. Cells are counted on the `evaluated` rows [N]; a row without a label is in none.
        """
        if len(names) == 1:
            return cls(names[0], columns[names[0]], y, classes, None, estimated)
        labeled = {name: np.where(y < 0, "", columns[name]) for name in names}
        crossed = cross(labeled, names, np.asarray(classes)[y], evaluated)
        return cls(",".join(names), crossed.values, y, classes, crossed, estimated)

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


def cross(
    attributes: Mapping[str, Strings], names: Sequence[str], labels: Strings, evaluated: Bools
) -> Crossed:
    """Return the combinations of attributes.

    A cell is a class with one value of each attribute. The cells of a class with fewer than `FEWEST`
    evaluated images become one, so that no rate is of a handful of images.

    Parameters
    ----------
    attributes : mapping of str to str [N]
        Columns; the empty string means unknown.
    names : sequence of str
        Which of them to cross.
    labels : str [N]
        Classes.
    evaluated : bool [N]
        The images that figures will be of.

    Examples
    --------
    >>> columns = {"ground": np.array(["land"] * 12), "time": np.array(["day"] * 10 + ["night", ""])}
    >>> found = cross(columns, ["ground", "time"], np.array(["bird"] * 12), np.ones(12, bool))
    >>> found.values[9:].tolist(), found.pooled
    (['land × day', 'other', ''], ('bird / land × night (1)',))
    """
    columns = np.stack([attributes[name] for name in names])
    known = (columns != "").all(axis=0)
    values = columns[0]
    for column in columns[1:]:
        values = np.char.add(np.char.add(values, BETWEEN), column)
    cells, cell_of = np.unique(
        np.char.add(np.char.add(labels[known], " / "), values[known]), return_inverse=True
    )
    counts = np.bincount(cell_of[evaluated[known]], minlength=len(cells))
    small = np.zeros(len(values), dtype=np.bool_)
    small[known] = counts[cell_of] < FEWEST
    return Crossed(
        tuple(names),
        np.where(known, np.where(small, OTHER, values), ""),
        np.where(known, values, ""),
        tuple(f"{cells[k]} ({counts[k]})" for k in np.flatnonzero(counts < FEWEST)),
        len(cells),
    )


def group_labels(labels: Strings, values: Strings) -> Strings:
    """Return the group `label / value` of each row [N]; the empty string where the value is unknown."""
    return np.where(values == "", "", np.char.add(np.char.add(labels, " / "), values))
