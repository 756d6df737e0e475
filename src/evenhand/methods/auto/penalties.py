"""The L2 penalties that `auto` tries."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evenhand.methods._training.problem import Problem
from evenhand.methods.auto.part import most_rows

WORK = 1e9
"""Rows × classes × dimensions above which fewer penalties are tried: 3,000 rows of 1,000 classes."""


@dataclass(frozen=True)
class Grid:
    """L2 penalties.

    Attributes
    ----------
    erm, balanced : tuple of float
        Penalties of ERM and of the balanced heads, times the number of rows of the part, in descending order.
    probe : float
        Penalty of the shortcut probe; without text, times the number of rows.
    reference : float or None
        Penalty, times the number of rows, of the ERM that replaces zero-shot if there is no text.
    """

    erm: tuple[float, ...]
    balanced: tuple[float, ...]
    probe: float
    reference: float | None = None

    def bounded(self, work: float) -> Grid:
        """Return the grid, or `thin` of it if rows × classes × dimensions is large."""
        return self if work <= WORK else self.thin()

    def thin(self) -> Grid:
        """Return every third penalty, and the reference."""
        kept = tuple(c for place, c in enumerate(self.erm) if place % 3 == 0 or c == self.reference)
        return replace(self, erm=kept, balanced=self.balanced[::3])

    @property
    def names(self) -> list[str]:
        """Candidates, zero-shot first."""
        erm = [f"ERM (L2 {c:g}/n)" for c in self.erm]
        return ["zero-shot", *erm, *(f"balanced head (L2 {c:g}/n)" for c in self.balanced)]


WITH_TEXT = Grid((300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.1), (300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.1), 1.0)
WITHOUT_TEXT = Grid((100.0, 10.0, 1.0, 0.1, 0.01), (30.0, 10.0, 1.0, 0.1), 100.0, 1.0)


def usual_grid(problem: Problem) -> Grid:
    """Return the penalties that are tried on a problem."""
    n_classes, width = problem.prototypes.shape
    grid = WITH_TEXT if problem.has_text else WITHOUT_TEXT
    return grid.bounded(min(len(problem.y), most_rows(n_classes)) * n_classes * width)


def thin_grid(problem: Problem) -> Grid:
    """Return every third penalty: enough to read a problem, not to choose among candidates."""
    return (WITH_TEXT if problem.has_text else WITHOUT_TEXT).thin()
