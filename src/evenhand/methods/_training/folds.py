"""Folds for cross-fitting: a model predicts the rows that it was not trained on."""

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
    """Row numbers to train on, and held-out row numbers."""

    train: Tensor
    held: Tensor

    def of(self, problem: Problem) -> Problem:
        """Return the problem of this fold, with the same head and coordinates."""
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
    """Split the rows into k folds with all classes in equal shares.

    The only row of a class is never held out, since no model can be trained without its class. Empty folds
    are left out.

    Parameters
    ----------
    y : int64 Tensor [N]
        Class codes.
    k : int
        Number of folds, at least 2.
    seed : int
        Random seed.

    Returns
    -------
    list of Fold
    """
    codes = y.numpy()
    number = np.full(len(codes), -1)
    generator = numpy_stream(seed, "folds")
    start = 0
    for code in np.unique(codes):
        rows = generator.permutation(np.flatnonzero(codes == code))
        if len(rows) > 1:
            # Classes start at different folds, so that many small classes fill all folds evenly.
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
    """Return a problem with validation rows: its own, or a random fifth of the training rows.

    Where every class is too small to hold a row out, all rows serve as validation rows, too.
    """
    if len(problem.y_val):
        return problem
    kept, held = (torch.from_numpy(rows) for rows in hold_out(problem.y.numpy(), seed=problem.seed))
    return Fold(kept, held if len(held) else kept).of(problem)
