"""Pairs of class and attribute: correlated in training, balanced in the test split."""

from __future__ import annotations

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Ints


def correlated(
    rng: np.random.Generator, n: int, classes: int, correlation: float, imbalance: float = 1.0
) -> tuple[Ints, Ints]:
    """Return classes and attributes of n training rows, in a drawn order.

    Class c of C is at home with attribute c. Of its n_c rows, round(correlation · n_c) are at home, the
    others are spread evenly over the other attributes. The first class has `imbalance` times as many
    rows as each other one.

    Parameters
    ----------
    rng : numpy Generator
        Draws the order.
    n, classes : int
        Rows and classes C; there are C attributes.
    correlation : float
        Share of rows at home; 1/C is no correlation.
    imbalance : float
        At least 1.

    Returns
    -------
    y, a : int64 [n]
    """
    weights = np.array([imbalance, *[1.0] * (classes - 1)])
    ends = np.rint(np.cumsum(weights) / weights.sum() * n).astype(int)
    y = np.repeat(np.arange(classes), np.diff(ends, prepend=0))
    a = y.copy()
    for code in range(classes):
        rows = np.flatnonzero(y == code)
        away = rows[round(correlation * len(rows)) :]
        a[away] = (code + 1 + np.arange(len(away)) % (classes - 1)) % classes
    order = rng.permutation(n)
    return y[order], a[order]


def balanced(n: int, classes: int) -> tuple[Ints, Ints]:
    """Return classes and attributes of n test rows, all C · C groups by turns."""
    turn = np.arange(n)
    return turn % classes, turn // classes % classes


def flipped(rng: np.random.Generator, y: Ints, classes: int, share: float) -> Ints:
    """Return y with round(share · n) labels moved to another class, drawn evenly."""
    wrong = rng.permutation(len(y))[: round(share * len(y))]
    found: Ints = y.copy()
    found[wrong] = (y[wrong] + rng.integers(1, classes, len(wrong))) % classes
    return found


def drawn(rng: np.random.Generator, pool: Ints, wanted: Ints) -> Ints:
    """Return for each row a position in `pool` that holds what the row wants; each once while they last."""
    found: Ints = np.empty(len(wanted), dtype=np.int64)
    for value in np.unique(wanted):
        rows = np.flatnonzero(wanted == value)
        found[rows] = np.resize(rng.permutation(np.flatnonzero(pool == value)), len(rows))
    return found


def check_counts(title: str, classes: int, **counts: int) -> None:
    """Refuse a recipe that cannot be drawn.

    Raises
    ------
    EvenhandError
        If a count leaves a group empty.
    """
    for name, number in counts.items():
        if number < classes * classes:
            raise EvenhandError(
                f"{title}: {name} is {number}; give at least {classes * classes}, an image for each group"
            )
