"""Rows that belong together, as copies of one image or the images of one patient do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from evenhand._typing import Ints, Strings

Sets = Sequence[Sequence[int]]
"""Rows that belong together, each set in ascending order."""


def kept_together(sets: Sets, units: Strings | None, n: int) -> Ints | None:
    """Return a number for each row, the same for rows that a drawn split must not divide.

    Parameters
    ----------
    sets : list of list of int
        Copies of one image.
    units : str [N] or None
        Names of what belongs together, such as patients. The empty string is a row of its own.
    n : int
        Number of rows.

    Returns
    -------
    int64 [n] or None
        None if there are neither copies nor units.
    """
    if not sets and units is None:
        return None
    first: dict[str, int] = {}
    pairs = [(rows[0], row) for rows in sets for row in rows[1:]]
    named = [] if units is None else [(row, name) for row, name in enumerate(units.tolist()) if name]
    pairs += [(first.setdefault(name, row), row) for row, name in named]
    return first_linked(np.array(pairs, dtype=np.int64).reshape(-1, 2), n)


def first_linked(links: Ints, n: int) -> Ints:
    """Return the first row of the connected component that each row is in.

    Parameters
    ----------
    links : int64 [L, 2]
        Pairs of rows.
    n : int
        Number of rows.

    Returns
    -------
    int64 [n]
        A row without links is a component of its own.

    Examples
    --------
    >>> first_linked(np.array([[3, 1], [3, 4]]), 5).tolist()
    [0, 1, 2, 1, 1]
    """
    # Not scipy, which takes longer to import than most folders to be searched.
    first = np.arange(n)
    one, other = links.T
    while (first[one] != first[other]).any():
        least = np.minimum(first[one], first[other])
        np.minimum.at(first, one, least)
        np.minimum.at(first, other, least)
        first = first[first]
    return first


def same_names(names: Strings) -> Sets:
    """Return the rows of one name together, where two or more have it; the empty string is no name."""
    sets: defaultdict[str, list[int]] = defaultdict(list)
    for row in np.flatnonzero(names != "").tolist():
        sets[str(names[row])].append(row)
    return [rows for rows in sets.values() if len(rows) > 1]
