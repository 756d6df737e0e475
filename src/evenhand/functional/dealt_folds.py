"""Folds that do not depend on the order of the rows."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Floats, Ints


def dealt_folds(y: Ints, key: Floats, k: int, generator: np.random.Generator) -> Ints:
    """Return the fold of every row, int64 [N]; −1 for a row that is alone in its class.

    The rows of a class are sorted by `key` and dealt out k at a time, each time in a random order. So every
    fold has rows of every class from the easiest to the hardest. If no two keys of a class are equal, the
    order of the rows does not change their folds.

    Parameters
    ----------
    y : int64 [N]
        Class codes.
    key : float [N]
        Sort key, such as zero-shot's margin.
    k : int
        Number of folds, at least 2.
    generator : Generator
        Source of the random orders.
    """
    folds = np.full(len(y), -1, dtype=np.int64)
    first = 0
    for code in np.unique(y):
        rows = np.flatnonzero(y == code)
        rows = rows[np.argsort(key[rows], kind="stable")]
        if len(rows) < 2:
            continue
        turns = [generator.permutation(k) for _ in range(-(-len(rows) // k))]
        # Classes start at different folds, so that many small classes fill all folds alike.
        folds[rows] = (np.concatenate(turns)[: len(rows)] + first) % k
        first += len(rows)
    return folds
