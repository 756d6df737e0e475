"""Seeded splits that keep the share of every class."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._random import numpy_stream
from evenhand._typing import Ints, Strings

FRACTIONS: Mapping[str, float] = MappingProxyType({"train": 0.7, "validation": 0.15, "test": 0.15})

UNUSED = "unused"
"""The split of given validation rows once validation is split off train: no step reads it."""


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
        for name, share in reversed(shares[1:]):
            taken = _held_out(len(np.flatnonzero(y == code)), share, left=len(rows))
            split[rows[:taken]] = name
            rows = rows[taken:]
    return split


def split_validation_off_train(y: Ints, split: Strings, *, seed: int, fraction: float = 0.2) -> Strings:
    """Make a validation split out of training rows alone.

    Rows that were given as validation become `unused`: a given validation set that is balanced by group
    would tell about groups.

    Parameters
    ----------
    y : int64 [N]
        Class codes.
    split : str [N]
        `train`, `validation`, `test`.
    seed : int
        Same seed and same rows, same split.
    fraction : float
        Share of each class's training rows, between 0 and 1, at least one row of each class that has two.

    Returns
    -------
    str [N]
        A new array; test rows are as they were.

    Raises
    ------
    EvenhandError
        If `fraction` is not between 0 and 1, or no class has two training rows.
    """
    if not 0 < fraction < 1:
        raise EvenhandError(f"fraction must lie between 0 and 1, but it is {fraction}; 0.2 is usual")
    out = split.astype("<U10")
    out[split == "validation"] = UNUSED
    for code in np.unique(y[split == "train"]):
        rows = np.flatnonzero((split == "train") & (y == code))
        rows = numpy_stream(seed, "validation_off_train", int(code)).permutation(rows)
        out[rows[: _held_out(len(rows), fraction, left=len(rows))]] = "validation"
    if not (out == "validation").any():
        raise EvenhandError(
            "no class has two training rows, so no validation split can be taken off train; "
            "add images or give a validation split"
        )
    return out


def _held_out(n: int, share: float, *, left: int) -> int:
    """Return how many of a class's `n` rows a held-out split gets: one stays for training."""
    return min(max(1, round(share * n)), left - 1)
