"""The epoch to keep, by a score on held-out rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from evenhand._typing import Floats, Ints
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.trained_state import State
from evenhand.selection.cells import Partition


@dataclass
class BestEpoch:
    """Keeps the state after the epoch with the highest score; ties go to the first epoch.

    Attributes
    ----------
    problem : Problem
        Its validation rows are scored.
    cells : Partition
        Cells of these rows. Without any, the last epoch is kept.
    reduce : callable
        Function from accuracies in the cells [G] and the cells' classes [G] to a score.
    scores : list of float
        One per epoch; empty without cells.
    state : State or None
        The state to keep; None before the first epoch.
    """

    problem: Problem
    cells: Partition
    reduce: Callable[[Floats, Ints], Floats]
    scores: list[float] = field(default_factory=list)
    state: State | None = None

    def __call__(self, _epoch: int, state: State) -> None:
        """Score the state after an epoch."""
        if not self.cells.members:
            self.state = state.frozen()
            return
        codes = state.codes(self.problem.h_val, self.problem.prototypes)
        score = float(self.reduce(self.cells.rates(codes == self.problem.y_val.numpy()), self.cells.classes))
        if score > max(self.scores, default=-1.0):
            self.state = state.frozen()
        self.scores.append(score)

    def kept(self) -> State:
        """Return the state to keep.

        At least one epoch must have been scored.
        """
        assert self.state is not None
        return self.state
