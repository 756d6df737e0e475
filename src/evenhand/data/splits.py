"""Which rows train, validate and test: as given, or drawn by class with a seed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._random import numpy_stream
from evenhand._typing import Ints, Strings

FRACTIONS: Mapping[str, float] = MappingProxyType({"train": 0.7, "validation": 0.15, "test": 0.15})

HELD_OUT = 0.2
"""Share of each class's training rows that validates, where validation is split off training."""

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
# WILDS and its kin number the splits so.
_NUMBERED = {"0": "train", "1": "validation", "2": "test"}


def split_in_name(place: str) -> str | None:
    """Return the split that a file's folder or the words of its name tell; None where they tell none."""
    words = [word for word in re.split(r"[/_.\-]", place.lower()) if word in SPLIT_NAMES]
    return SPLIT_NAMES[words[0]] if words else None


def given_or_drawn(given: Strings | None, y: Ints, *, seed: int, column: str) -> tuple[Strings, list[str]]:
    """Return the split of each row, and what the user should know of it.

    Splits are drawn by class where none are given, or all rows are given as training.

    Parameters
    ----------
    given : str [N] or None
        Names as in `SPLIT_NAMES`, in any case, or 0, 1, 2.
    y : int64 [N]
        Class codes.
    seed : int
        Of the draw.
    column : str
        Where `given` comes from, for the sentence.

    Returns
    -------
    split : str [N]
        `train`, `validation` or `test`.
    notes : list of str
        One sentence each.

    Raises
    ------
    EvenhandError
        If a name is no split; the sentence names the first such row.
    """
    if given is None:
        return stratified_split(y, seed=seed), [_drawn(seed, "no splits are given")]
    numbered = set(given) <= set(_NUMBERED)
    known = _NUMBERED if numbered else SPLIT_NAMES
    names = [known.get(str(value).lower()) for value in given]
    if None in names:
        row = names.index(None)
        raise EvenhandError(
            f"split_column: {str(given[row])!r} in column {column!r} at row {row + 1} is no split; "
            f"allowed are {', '.join(SPLIT_NAMES)}"
        )
    if set(names) == {"train"}:
        return stratified_split(y, seed=seed), [_drawn(seed, "all images are given as train")]
    split = np.asarray(names, dtype=np.str_)
    notes = ["the split numbers 0, 1, 2 are read as train, validation, test"] if numbered else []
    if "test" not in names:
        notes.append("no test split is given: accuracies will be those of the validation split")
    return split, notes


def _drawn(seed: int, why: str) -> str:
    shares = ", ".join(f"{100 * share:.0f} % {name}" for name, share in FRACTIONS.items())
    return f"{why}: {shares}, drawn by class with seed {seed}"


def stratified_split(y: Ints, *, seed: int, fractions: Mapping[str, float] = FRACTIONS) -> Strings:
    """Deal the rows of every class out to splits.

    The first split takes what the others leave. Each other split gets `round(fraction * n_c)` rows of class
    c, at least one while the first keeps one; the last split is served first, so that of two images one
    trains and one tests.

    Parameters
    ----------
    y : int64 [N]
        Class codes.
    seed : int
        Same seed and same `y`, same split.
    fractions : dict of str to float
        Share of each split, in all 1.

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
        raise EvenhandError(
            f"fractions must be positive and sum to 1, but {dict(fractions)} came; change them"
        )
    split = np.full(len(y), shares[0][0], dtype=f"<U{max(len(name) for name in fractions)}")
    for code in np.unique(y):
        rows = numpy_stream(seed, "stratified_split", int(code)).permutation(np.flatnonzero(y == code))
        n = len(rows)
        for name, share in reversed(shares[1:]):
            taken = _given_away(n, share, left=len(rows))
            split[rows[:taken]] = name
            rows = rows[taken:]
    return split


def hold_out(y: Ints, *, seed: int, share: float = HELD_OUT) -> tuple[Ints, Ints]:
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
    share : float
        Between 0 and 1.

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
        raise EvenhandError(f"share must lie between 0 and 1, but it is {share}; {HELD_OUT} is usual")
    generator = numpy_stream(seed, "validation")
    is_held = np.zeros(len(y), dtype=bool)
    for code in np.unique(y):
        rows = generator.permutation(np.flatnonzero(y == code))
        is_held[rows[: int(share * len(rows))]] = True
    return np.flatnonzero(~is_held), np.flatnonzero(is_held)


def _given_away(n: int, share: float, *, left: int) -> int:
    """Return how many of a class's `n` rows a split other than the first gets: one stays."""
    return min(max(1, round(share * n)), left - 1)
