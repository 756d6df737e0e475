"""Cells of held-out rows, and the accuracy in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenhand._typing import Bools, Floats, Ints
from evenhand.functional.bootstrap import draw_rates


@dataclass(frozen=True)
class Partition:
    """Disjoint cells of rows, each within one class.

    Attributes
    ----------
    members : tuple of G int64 arrays
        Row numbers of each cell; none is empty.
    classes : int64 [G]
        The class of each cell; −1 if a cell spans classes.
    """

    members: tuple[Ints, ...]
    classes: Ints

    @classmethod
    def of(cls, y: Ints, part: Ints, min_rows: int = 1) -> Partition:
        """Return the cells class × part.

        Parameters
        ----------
        y : int64 [M]
            Class codes.
        part : int64 [M]
            Codes of a second division of the rows; −1 leaves a row out.
        min_rows : int, default=1
            Cells with fewer rows are dropped.

        Examples
        --------
        >>> cells = Partition.of(np.array([0, 0, 1, 1]), np.array([0, 1, 0, -1]))
        >>> [cell.tolist() for cell in cells.members], cells.classes.tolist()
        ([[0], [1], [2]], [0, 0, 1])
        """
        inside = np.flatnonzero(part >= 0)
        width = int(part.max(initial=0)) + 1
        number = y[inside] * width + part[inside]
        cells, counts = np.unique(number, return_counts=True)
        order = inside[np.argsort(number, kind="stable")]
        members = np.split(order, np.cumsum(counts)[:-1])
        kept = [k for k in range(len(cells)) if counts[k] >= min_rows]
        return cls(tuple(members[k] for k in kept), cells[kept] // width)

    def without(self, rows: Bools) -> Partition:
        """Return the cells without the rows where `rows` [M] is True; empty cells are dropped."""
        members = [cell[~rows[cell]] for cell in self.members]
        kept = [k for k, cell in enumerate(members) if len(cell)]
        return Partition(tuple(members[k] for k in kept), self.classes[kept])

    def rates(self, right: Floats | Bools) -> Floats:
        """Return the mean of `right` [..., M] within each cell, [..., G]."""
        return np.stack([right[..., cell].mean(axis=-1) for cell in self.members], axis=-1)

    def draw(self, right: Bools, draws: int, generator: np.random.Generator) -> Floats:
        """Return the rates of `right` [K, M] in bootstrap samples drawn within cells, [draws, K, G]."""
        cells = [draw_rates(right[:, cell], draws, generator) for cell in self.members]
        return np.stack(cells, axis=-1)
