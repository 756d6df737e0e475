"""The feature table: what every step after extraction works on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints, Strings
from evenhand.data.arrays.gather import gathered
from evenhand.data.arrays.scale import check_scale
from evenhand.data.estimated import EstimatedColumn
from evenhand.data.group_by import check_group_by
from evenhand.data.groups import Groups, group_labels
from evenhand.data.head import Head
from evenhand.data.kept_together import kept_together, same_names
from evenhand.data.splits import stratified_split
from evenhand.data.table_html import table_html


@dataclass(frozen=True)
class FeatureTable:
    """Frozen features with labels, splits and attributes, row by row.

    Attributes
    ----------
    parts : arrays [n_k, D_in], float16 or float32
        Features before the projection, memory-mapped where they come from a store; N = sum of n_k.
    y : int64 [N]
        Codes into `head.classes`.
    split : str [N]
        `train`, `validation` or `test`.
    ids : str [N]
        Unique row names.
    paths : str [N]
        Image paths, empty for imported features.
    attributes : dict of str to str [N]
        Raw attribute columns; the empty string means unknown.
    head : Head
        Pretrained projection and text prototypes.
    card : dict, default={}
        Provenance, as written in the store's `card.json`.
    source : Path or None
        The store's folder.
    units : str [N] or None
        What a random split never divides, such as patients; the empty string for a row of its own.
    copies : str [N] or None
        The id of the first copy of an image; the empty string for an image without copies.
    estimated : mapping of str to EstimatedColumn, default={}
        Of the attributes that a review added: how they were estimated, and what they may be used for.
    notes : tuple of str, default=()
        What the user should know about how it was made just now; not kept in the store.
    properties : dict of str to str [N], default={}
        Columns that make no groups: what `embed` measured of the images, such as `image_brightness`, and
        others of the table, such as dates; the empty string means unknown.
    grouped : Groups or None
        The groups of the rows, where it was said which attributes make them.
    """

    parts: Sequence[Floats]
    y: Ints
    split: Strings
    ids: Strings
    paths: Strings
    attributes: dict[str, Strings]
    head: Head
    card: dict[str, Any] = field(default_factory=dict)
    source: Path | None = None
    units: Strings | None = None
    copies: Strings | None = None
    estimated: Mapping[str, EstimatedColumn] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    properties: Mapping[str, Strings] = field(default_factory=dict)
    grouped: Groups | None = None

    @classmethod
    def from_arrays(
        cls,
        X: Any,
        y: Any,
        *,
        groups: Any = None,
        split: Any = None,
        head: Head | None = None,
        seed: int = 0,
    ) -> FeatureTable:
        """Return the table of embeddings that are in memory.

        Parameters
        ----------
        X : array [N, D_in]
            Finite features.
        y : array [N]
            Labels; with a `head`, names among `head.classes`.
        groups : array [N] or mapping of str to arrays [N], optional
            An attribute of the rows, or several by name; groups are label × attribute. None, NaN and the
            empty string are unknown. An array alone is called "group".
        split : array [N] of str, optional
            "train", "validation" or "test"; by default drawn at random by class (70, 15 and 15 %).
        head : Head, optional
            Projection and class prototypes; the identity without text by default.
        seed : int, default=0
            Of the split.

        Raises
        ------
        EvenhandError
            If `X` is not a finite matrix, another array has another length, or a label or split is unknown.

        Examples
        --------
        >>> X, y = np.eye(8, dtype=np.float32), np.array(["cat", "dog"] * 4)
        >>> table = FeatureTable.from_arrays(X, y, groups=["indoors"] * 8)
        >>> table.classes, sorted(table.attributes)
        (('cat', 'dog'), ['group'])
        """
        features = np.asarray(X, dtype=np.float32)
        if features.ndim != 2 or not np.isfinite(features).all():
            raise EvenhandError(f"X must be a finite matrix [N, D], but its shape is {features.shape}")
        labels = np.asarray([str(label) for label in y])
        classes = tuple(np.unique(labels).tolist()) if head is None else head.classes
        known = {name: code for code, name in enumerate(classes)}
        if (odd := next((label for label in labels.tolist() if label not in known), None)) is not None:
            raise EvenhandError(f"y holds {odd!r}, which is not a class of the head: {', '.join(classes)}")
        codes = np.array([known[label] for label in labels.tolist()], dtype=np.int64)
        named = groups if isinstance(groups, Mapping) else {} if groups is None else {"group": groups}
        attributes = {str(name): _known_or_empty(values) for name, values in named.items()}
        given = stratified_split(codes, seed=seed) if split is None else np.asarray(split, dtype=np.str_)
        lengths = {"y": len(codes), "split": len(given), **{k: len(v) for k, v in attributes.items()}}
        if wrong := next((name for name, n in lengths.items() if n != len(features)), None):
            n, rows = lengths[wrong], len(features)
            raise EvenhandError(f"X has {rows} rows, but {wrong} has {n}; give one per row")
        if unknown := sorted(set(given.tolist()) - {"train", "validation", "test"}):
            raise EvenhandError(f"split holds {unknown[0]!r}; the allowed values are train, validation, test")
        return cls(
            parts=[features],
            y=codes,
            split=given,
            ids=np.arange(len(codes)).astype(np.str_),
            paths=np.full(len(codes), ""),
            attributes=attributes,
            head=head or Head(np.eye(features.shape[1], dtype=np.float32), None, classes),
            card={"family": "import"},
        )

    def __len__(self) -> int:
        return len(self.y)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        name = "features" if self.source is None else self.source.name
        rows = number_of(len(self), "row")
        facts = [f"{rows} of width {self.width}", f"model {self.card.get('model', 'unknown')}"]
        facts += [f"attributes {', '.join(sorted(self.attributes))}"] if self.attributes else []
        return table_html(name, facts, self.y, self.split, self.classes)

    @cached_property
    def width(self) -> int:
        """D_in."""
        return int(self.parts[0].shape[1])

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the codes."""
        return self.head.classes

    @property
    def place(self) -> str | None:
        """The absolute path of the store's folder; None for a table in memory."""
        return None if self.source is None else str(self.source.resolve())

    @property
    def tested_on(self) -> str:
        """The split that evaluations take: `test`, or `validation` where no row is in it."""
        return "test" if (self.split == "test").any() else "validation"

    def rows(self, split: str) -> Ints:
        """Return the row numbers of one split."""
        return np.flatnonzero(self.split == split).astype(np.int64)

    def unit_codes(self, rows: Ints) -> Ints | None:
        """Return one number for all rows that a draw among `rows` must not divide; None if any may be."""
        units = None if self.units is None else self.units[rows]
        copies = [] if self.copies is None else same_names(self.copies[rows])
        return kept_together(copies, units, len(rows))

    def features(self, rows: Ints) -> Floats:
        """Return float32 [len(rows), D_in], gathered part by part so that no part is copied whole.

        Raises
        ------
        EvenhandError
            If the numbers are too large or too small to compute with.
        """
        out = gathered(self.parts, self._ends, rows)
        if self.parts[0].dtype != np.float16:  # which is never out of range
            check_scale(out, "" if self.source is None else f"store {self.source}: ")
        return out

    def stored(self, rows: Ints) -> StoredRows:
        """Return the features of `rows` as an array that is read where it is, row by row."""
        return StoredRows(self, rows)

    @cached_property
    def _ends(self) -> Ints:
        """How many rows there are up to the end of each part."""
        return np.cumsum([len(part) for part in self.parts], dtype=np.int64)

    def labels(self, rows: Ints) -> Strings:
        """Return the class names of `rows`."""
        return np.asarray(self.classes)[self.y[rows]]

    def groups(self, attribute: str, rows: Ints) -> Strings:
        """Return "class / attribute value" for `rows`; the empty string where the attribute is unknown."""
        return group_labels(self.labels(rows), self.attributes[attribute][rows])

    def with_groups(self, group_by: str | None) -> FeatureTable:
        """Return the table with the groups that `group_by` makes, or the first attribute; without any, none.

        Several attributes, as `ground,time`, are crossed. Cells are counted on the rows that evaluations
        take. If a review estimated some of the attributes, the combination may be used only for what all of
        them may be used for.

        Raises
        ------
        EvenhandError
            If `group_by` is not an attribute of the table.
        """
        names = check_group_by(group_by, self.attributes) or list(self.attributes)[:1]
        if not names:
            return self
        # "evaluation" comes before "training"
        about = sorted(
            (self.estimated[name] for name in names if name in self.estimated), key=lambda one: one.used_for
        )
        tested = self.split == self.tested_on
        grouped = Groups.by(names, self.attributes, self.y, self.classes, tested, next(iter(about), None))
        return replace(self, grouped=grouped)


def as_table(
    X: FeatureTable | Any, y: Any = None, *, groups: Any = None, head: Head | None = None
) -> FeatureTable:
    """Return a table as it is, or the table of arrays X [N, D_in] and y [N].

    Raises
    ------
    EvenhandError
        If arrays come without labels, a table comes with labels, `X` is a path, or the arrays do not make a
        table.
    """
    if isinstance(X, FeatureTable):
        if y is not None or groups is not None or head is not None:
            raise EvenhandError("a table brings its labels, groups and head; leave y, groups and head out")
        return X
    if isinstance(X, (str, os.PathLike)):
        raise no_table(X, argument="X")
    if y is None:
        raise EvenhandError("y is missing: an array of features needs a label for each row")
    return FeatureTable.from_arrays(X, y, groups=groups, head=head)


def no_table(given: Any, *, argument: str) -> EvenhandError:
    """Return the error for what is given in place of a table."""
    if isinstance(given, (str, os.PathLike)):
        remedy = f"is a path; read the store there with load_store({str(given)!r})"
        return EvenhandError(f"{argument}: {str(given)!r} {remedy}")
    remedy = "is no table; make one with FeatureTable.from_arrays(X, y)"
    return EvenhandError(f"{argument}: {type(given).__name__} {remedy}")


def _known_or_empty(values: Any) -> Strings:
    """Return values as text; None and NaN, which are unknown, as the empty string."""
    return np.array(
        ["" if value is None or value != value else str(value) for value in values], dtype=np.str_
    )


@dataclass(frozen=True)
class StoredRows:
    """Features of chosen rows of a table, float32. Only the rows that are asked for are read into memory.

    Attributes
    ----------
    table : FeatureTable
        Whose rows.
    numbers : int64 [n]
        Which rows, best in ascending order: neighbors are then read together.
    """

    table: FeatureTable
    numbers: Ints

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def shape(self) -> tuple[int, int]:
        """(n, D_in)."""
        return len(self.numbers), self.table.width

    def __getitem__(self, rows: Ints | slice) -> Floats:
        """Return the rows at positions [B], float32 [B, D_in]."""
        return self.table.features(self.numbers[rows])
