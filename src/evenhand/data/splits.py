"""Which rows train, validate and test: as given, or drawn by class with a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._random import numpy_stream
from evenhand._typing import Ints, Strings
from evenhand.data.split_names import not_a_split, splits_of_values

FRACTIONS: Mapping[str, float] = MappingProxyType({"train": 0.7, "validation": 0.15, "test": 0.15})

HELD_OUT = 0.2
"""Share of each class's training rows that validates, where validation is split off training."""


class Splits(NamedTuple):
    """The split of each row, str [N]; what the user should know of it; and whether it was drawn here."""

    names: Strings
    notes: list[str]
    drawn: bool


def given_or_drawn(
    given: Strings | None, y: Ints, *, seed: int, column: str, units: Ints | None = None
) -> Splits:
    """Return the split of each row.

    Splits are drawn by class where none are given, or all rows are given as training.

    Parameters
    ----------
    given : str [N] or None
        Names as in `split_names`, or 0, 1, 2.
    y : int64 [N]
        Class codes.
    seed : int
        Of the draw.
    column : str
        Where `given` comes from, for the sentence.
    units : int64 [N], optional
        Rows of one number are drawn together.

    Raises
    ------
    EvenhandError
        If a name is not a split; the sentence names the first such row.
    """
    if given is None:
        return _drawn(y, seed, units, "no splits are given")
    names, notes = splits_of_values(given, column)
    if None in names:
        raise not_a_split(given, names, column)
    if set(names) == {"train"}:
        return _drawn(y, seed, units, "all images are given as train")
    split = np.asarray(names, dtype=np.str_)
    if "test" not in names:
        notes.append("no test split is given: accuracies will be those of the validation split")
    return Splits(split, notes, drawn=False)


def _drawn(y: Ints, seed: int, units: Ints | None, why: str) -> Splits:
    shares = ", ".join(f"{100 * share:.0f} % {name}" for name, share in FRACTIONS.items())
    notes = [f"{why}: {shares}, drawn by class with seed {seed}"]
    split = stratified_split(y, seed=seed, units=units)
    if len(set(split.tolist())) == 1:
        notes.append(
            "every image would be in train, and nothing would be left to evaluate on: there are too few "
            "images, or "
            "too few groups of images that stay together; add images, or give a split column"
        )
    return Splits(split, notes, drawn=True)


def stratified_split(
    y: Ints, *, seed: int, fractions: Mapping[str, float] = FRACTIONS, units: Ints | None = None
) -> Strings:
    """Deal the rows of every class out to splits.

    The first split takes what the others leave. Each other split gets `round(fraction * n_c)` rows of class
    c, at least one while the first keeps one; the last split is served first, so that of two images one
    trains and one tests. A unit of several rows goes where its turn comes, whole, so that a split may get up
    to a unit more.

    Parameters
    ----------
    y : int64 [N]
        Class codes.
    seed : int
        Same seed and same `y`, same split.
    fractions : dict of str to float, default={"train": 0.7, "validation": 0.15, "test": 0.15}
        Share of each split, in all 1.
    units : int64 [N], optional
        Rows with the same number, such as those of one patient, get the same split; by default every row
        is a unit. A unit counts for the class of most of its rows.

    Returns
    -------
    str [N]
        Split names.

    Raises
    ------
    EvenhandError
        If the fractions are not positive or do not sum to 1.
    """
    shares = list(fractions.items())
    if min(fractions.values(), default=0.0) <= 0 or abs(sum(fractions.values()) - 1) > 1e-9:
        raise EvenhandError(f"fractions must be positive and sum to 1, but they are {dict(fractions)}")
    dealt = Units.of(y, units)
    split = np.full(len(dealt), shares[0][0], dtype=f"<U{max(len(name) for name in fractions)}")
    for code in np.unique(dealt.y):
        order = numpy_stream(seed, "stratified_split", int(code)).permutation(np.flatnonzero(dealt.y == code))
        n = int(dealt.sizes[order].sum())
        for name, share in reversed(shares[1:]):
            taken = dealt.first(order, max(1, round(share * n)), at_most=len(order) - 1)
            split[order[:taken]] = name
            order = order[taken:]
    return split[dealt.of_row]


@dataclass(frozen=True)
class Units:
    """What is dealt out whole, in the order of its first row.

    Attributes
    ----------
    of_row : int64 [N]
        The unit of each row.
    y : int64 [U]
        Class of most of a unit's rows.
    sizes : int64 [U]
        Rows of each.
    """

    of_row: Ints
    y: Ints
    sizes: Ints

    @staticmethod
    def of(y: Ints, units: Ints | None) -> Units:
        """Return the units of rows of classes y [N]; by default every row is one."""
        if units is None:
            return Units(np.arange(len(y)), y, np.ones(len(y), dtype=np.int64))
        _, first, of_row = np.unique(units, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))
        of_row = rank[of_row]
        pairs, counts = np.unique(np.stack([of_row, y], axis=1), axis=0, return_counts=True)
        most = np.zeros(len(first), dtype=np.int64)
        rare_first = np.argsort(counts, kind="stable")  # the class of most rows is written last
        most[pairs[rare_first, 0]] = pairs[rare_first, 1]
        return Units(of_row, most, np.bincount(of_row))

    def __len__(self) -> int:
        return len(self.y)

    def first(self, order: Ints, rows: int, *, at_most: int) -> int:
        """Return how many units in `order` make up at least `rows` rows; `at_most` where that is fewer."""
        ends = np.cumsum(self.sizes[order])
        return min(int(np.searchsorted(ends, rows)) + 1, at_most) if rows else 0


def hold_out(y: Ints, *, seed: int, share: float = HELD_OUT, units: Ints | None = None) -> tuple[Ints, Ints]:
    """Hold a share of the rows of every class out of training.

    Of the n_c rows of class c, floor(share · n_c) are held out, so that a class of a few rows keeps them all.
    Drawn from training rows alone, the held-out rows have their distribution: a given validation set that is
    balanced by group would tell about groups.

    Parameters
    ----------
    y : int64 [N]
        Class codes of training rows.
    seed : int
        Same seed and same `y`, same rows.
    share : float, default=0.2
        Share of each class that is held out, between 0 and 1.
    units : int64 [N], optional
        As in `stratified_split`; none is taken that would make it more rows than the share.

    Returns
    -------
    kept, held : int64 [N - M], int64 [M]
        Positions in `y`, each in ascending order.

    Raises
    ------
    EvenhandError
        If `share` is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise EvenhandError(f"share must be between 0 and 1, but it is {share}; the default is {HELD_OUT}")
    generator = numpy_stream(seed, "validation")
    dealt = Units.of(y, units)
    is_held = np.zeros(len(dealt), dtype=bool)
    for code in np.unique(dealt.y):
        order = generator.permutation(np.flatnonzero(dealt.y == code))
        ends = np.cumsum(dealt.sizes[order])
        is_held[order[: int(np.searchsorted(ends, int(share * ends[-1]), side="right"))]] = True
    held = is_held[dealt.of_row]
    # Units of several classes may hold all rows of one: those train.
    held &= ~np.isin(dealt.of_row, dealt.of_row[~np.isin(y, y[~held])])
    return np.flatnonzero(~held), np.flatnonzero(held)
