"""The states along one fit as candidates: a rule scores each on held-out rows, and only the best is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evenhand._typing import Ints
from evenhand.data.table import FeatureTable
from evenhand.methods.base import Model
from evenhand.selection.cells import Partition
from evenhand.selection.rules import find_rule


@dataclass(frozen=True)
class Scored:
    """A model, its epoch (None at the end of a fit), and its score (None without cells)."""

    model: Model
    epoch: int | None
    score: float | None


@dataclass
class States:
    """The best state of a fit so far; ties go to the latest.

    Attributes
    ----------
    table, held_out : FeatureTable, int64 [M]
        The data, and the rows that score.
    rule, cells : str, Partition
        The rule, and its cells on these rows.
    leader : Scored or None
        The best state before the end.
    seen : int
        States before the end that were scored.
    """

    table: FeatureTable
    held_out: Ints
    rule: str
    cells: Partition
    leader: Scored | None = None
    seen: int = 0

    def look(self, epoch: int, model: Model) -> None:
        """Score the state after an epoch."""
        if self.cells.members:
            self.seen += 1
            self.leader = self._better(Scored(model, epoch, self._score(model)))

    def best(self, model: Model) -> Scored:
        """Return the best state, given the model at the end of the fit."""
        return self._better(Scored(model, None, self._score(model) if self.cells.members else None))

    def _better(self, new: Scored) -> Scored:
        old = self.leader
        if old is None or old.score is None or new.score is None or new.score >= old.score:
            return new
        return old

    def _score(self, model: Model) -> float:
        right = codes(model.logits(self.table.stored(self.held_out))) == self.table.y[self.held_out]
        return float(find_rule(self.rule).scores(right[None], self.cells)[0])


def codes(logits: Any) -> Ints:
    """Return the class codes [N] of logits [N, C]."""
    found: Ints = logits.argmax(axis=1)
    return found
