"""Cross-fitting: every row is judged by a model that was not trained on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from evenhand._random import numpy_stream
from evenhand._typing import Ints
from evenhand.data.splits import hold_out
from evenhand.methods._training.problem import Problem


@dataclass(frozen=True)
class Fold:
    """Row numbers to train on, and those held out."""

    train: Tensor
    held: Tensor

    def of(self, problem: Problem) -> Problem:
        """Return the problem of this fold: same head and coordinates, other rows."""
        return replace(
            problem,
            h=problem.h.take(self.train),
            y=problem.y[self.train],
            h_val=problem.h.take(self.held),
            y_val=problem.y[self.held],
            groups=_part(problem.groups, self.train),
            groups_val=_part(problem.groups, self.held),
        )


def stratified_folds(y: Tensor, k: int, seed: int) -> list[Fold]:
    """Deal the rows of every class out to k folds.

    A row that is alone in its class is held out of no fold, since a model without its class could not be
    trained; a fold that would hold nothing is left out.

    Parameters
    ----------
    y : int64 Tensor [N]
        Codes.
    k : int
        Number of folds, at least 2.
    seed : int
        Same seed and codes, same folds.
    """
    codes = y.numpy()
    number = np.full(len(codes), -1)
    generator = numpy_stream(seed, "folds")
    start = 0
    for code in np.unique(codes):
        rows = generator.permutation(np.flatnonzero(codes == code))
        if len(rows) > 1:
            # Classes start at different folds, so that many small classes fill all folds alike.
            number[rows] = (np.arange(len(rows)) + start) % k
            start += len(rows)
    parts = torch.from_numpy(number)
    return [
        Fold((parts != fold).nonzero().flatten(), (parts == fold).nonzero().flatten())
        for fold in range(k)
        if bool((parts == fold).any())
    ]


def _part(groups: Ints | None, rows: Tensor) -> Ints | None:
    return None if groups is None else groups[rows.numpy()]


def with_validation(problem: Problem) -> Problem:
    """Return the problem as it is if it has validation rows, else with a seeded fifth of them held out.

    Where no class can spare a row, all rows validate.
    """
    if len(problem.y_val):
        return problem
    kept, held = (torch.from_numpy(rows) for rows in hold_out(problem.y.numpy(), seed=problem.seed))
    return Fold(kept, held if len(held) else kept).of(problem)
