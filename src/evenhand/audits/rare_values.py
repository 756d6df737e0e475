"""Values of few rows, as those of eighty photographers, counted by the class that is typical of each."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Ints, Strings


def by_typical_class(values: Strings, y: Ints, generator: np.random.Generator) -> Strings:
    """Return a name for each row by the class that is typical of its value.

    That class has the largest share of the value's rows over its share of all rows, in one random half of
    the rows. Only the other half gets names, so that a column at random does not go with the label.

    Parameters
    ----------
    values : str [N]
        A column; the empty string means unknown.
    y : int64 [N]
        Codes of the labels, from 0 on.
    generator : numpy.random.Generator
        Deals the halves.

    Returns
    -------
    str [N]
        `(mostly CODE)`; empty in the first half, and if the value is unknown or has no row in that half.

    Examples
    --------
    >>> values, y = np.repeat(["ann", "bob"], 20), np.repeat([1, 0], 20)
    >>> sorted(set(by_typical_class(values, y, np.random.default_rng(0)).tolist()))
    ['', '(mostly 0)', '(mostly 1)']
    """
    first = generator.permutation(len(values)) < len(values) // 2
    place = np.unique(values, return_inverse=True)[1]
    counts = np.zeros((int(place.max(initial=0)) + 1, int(y.max(initial=0)) + 1))
    np.add.at(counts, (place[first], y[first]), 1)
    lift = counts / np.maximum(1, counts.sum(axis=0))
    named = ~first & (values != "") & (counts.sum(axis=1) > 0)[place]
    names = np.char.add(np.char.add("(mostly ", lift.argmax(axis=1).astype(str)), ")")
    return np.where(named, names[place], "")
