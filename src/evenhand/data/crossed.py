"""Several attributes at once: each image's combination of their values, with small cells pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evenhand._counts import number_of
from evenhand._typing import Bools, Strings
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
