"""Few training images of each class, drawn by a seed, as in few-shot studies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._random import numpy_stream
from evenhand._typing import Bools, Ints, Strings
from evenhand.data.labels import some


class Shots(NamedTuple):
    """How many training images of each class were drawn at most, and by which seed."""

    per_class: int
    seed: int


def kept_rows(y: Ints, split: Strings, shots: Shots) -> Bools:
    """Return which rows stay: `per_class` training rows of each class, and all rows of other splits.

    The rows of fewer shots are among those of more, by the same seed.

    Parameters
    ----------
    y : int64 [N]
        Class codes.
    split : str [N]
        `train`, `validation` or `test`.
    shots : Shots
        Number and seed. A class with fewer training rows keeps them all.

    Raises
    ------
    EvenhandError
        If the number is below 1.

    Examples
    --------
    >>> y, split = np.array([0, 1, 0, 1, 0]), np.array(["train"] * 4 + ["test"])
    >>> kept_rows(y, split, Shots(1, seed=0)).sum().item()
    3
    """
    if shots.per_class < 1:
        raise EvenhandError(
            f"shots: there must be at least 1 for each class, but there are {shots.per_class}"
        )
    kept: Bools = split != "train"
    for code in np.unique(y):
        rows = np.flatnonzero((split == "train") & (y == code))
        order = numpy_stream(shots.seed, "shots", int(code)).permutation(len(rows))
        kept[rows[order[: shots.per_class]]] = True
    return kept


def shot_notes(y: Ints, split: Strings, classes: Sequence[str], shots: Shots) -> list[str]:
    """Return what was drawn, and which classes have fewer training rows than were asked for."""
    counts = np.bincount(y[split == "train"], minlength=len(classes))
    taken = np.minimum(counts, shots.per_class)
    notes = [
        f"shots: {taken.sum():,} of {counts.sum():,} training images, at most {shots.per_class} of each "
        f"class, drawn with seed {shots.seed}"
    ]
    fewer = [name for name, count in zip(classes, counts, strict=True) if count < shots.per_class]
    return notes + ([f"shots: these classes have fewer training images: {some(fewer)}"] if fewer else [])
