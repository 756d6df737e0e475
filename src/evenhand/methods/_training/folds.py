"""Folds for cross-fitting: a model predicts the rows that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from evenhand._random import numpy_stream
from evenhand._typing import Ints
from evenhand.data.splits import Units, hold_out
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
            units=_part(problem.units, self.train),
        )


def stratified_folds(y: Tensor, k: int, seed: int, units: Ints | None = None) -> list[Fold]:
    """Split the rows into k folds, stratified by class.

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
    units : int64 [N], optional
        Rows with the same number are in the same fold.

    Returns
    -------
    list of Fold
    """
    codes = y.numpy()
    dealt = Units.of(codes, units)
    drawn = _drawn_folds(dealt.y, k, numpy_stream(seed, "folds"))
    parts = torch.from_numpy(folds_of_rows(codes, dealt, drawn))
    return [
        Fold((parts != fold).nonzero().flatten(), (parts == fold).nonzero().flatten())
        for fold in range(k)
        if bool((parts == fold).any())
    ]


def folds_of_rows(y: Ints, dealt: Units, folds: Ints) -> Ints:
    """Return the fold [N] of every row of classes y [N] from the fold [U] of its unit.

    A unit that holds all rows of a class which are ever held out is never held out itself: −1.
    """
    of_row: Ints = folds[dealt.of_row]
    least = np.full(int(y.max(initial=0)) + 1, len(y), dtype=np.int64)
    most = np.full_like(least, -1)
    np.minimum.at(least, y, of_row)
    np.maximum.at(most, y, of_row)
    alone = np.isin(dealt.of_row, dealt.of_row[(least == most)[y]])
    return np.where(alone, -1, of_row)


def _drawn_folds(codes: Ints, k: int, generator: np.random.Generator) -> Ints:
    number = np.full(len(codes), -1)
    start = 0
    for code in np.unique(codes):
        rows = generator.permutation(np.flatnonzero(codes == code))
        if len(rows) > 1:
            # Classes start at different folds, so that many small classes fill all folds evenly.
            number[rows] = (np.arange(len(rows)) + start) % k
            start += len(rows)
    return number


def _part(groups: Ints | None, rows: Tensor) -> Ints | None:
    return None if groups is None else groups[rows.numpy()]


def with_validation(problem: Problem) -> Problem:
    """Return a problem with validation rows: its own, or a random fifth of the training rows.

    If every class is too small to hold out a row, all rows also serve as validation rows.
    """
    if len(problem.y_val):
        return problem
    kept, held = (
        torch.from_numpy(rows) for rows in hold_out(problem.y.numpy(), seed=problem.seed, units=problem.units)
    )
    return Fold(kept, held if len(held) else kept).of(problem)
