"""The candidates of a fit, and what they predict on rows that they were not trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand._typing import Ints
from evenhand.methods._training.folds import stratified_folds
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import train_erm
from evenhand.methods._training.trained_state import State
from evenhand.methods.cfr.calibration_set import CalibrationSet
from evenhand.methods.cfr.trajectory import CandidatePlan, follow
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import Rule

History = list[dict[str, float]]


@dataclass(frozen=True)
class Candidates:
    """The candidates that a choice compares, and what it may see of them.

    Attributes
    ----------
    erm : State
        Stage 1, trained on all training rows.
    chosen : CalibrationSet
        Anchors and positives, as rows of the training part.
    names, states : lists of K str and State
        Candidates.
    predictions : int64 [K, M]
        Their codes on the held-out rows.
    scored : HeldOutPredictions
        Labels and reference predictions of these rows, which trained none of the states that predict them.
    """

    erm: State
    chosen: CalibrationSet
    names: list[str]
    states: list[State]
    predictions: Ints
    scored: HeldOutPredictions


def validated(problem: Problem, plan: CandidatePlan, rule: Rule, history: History) -> Candidates:
    """Follow the plan once and score its candidates on the validation rows."""
    path = follow(problem, plan, history)
    return Candidates(path.erm, path.chosen, path.names, path.states, *path.predict(problem, rule))


def cross_fitted(
    problem: Problem, plan: CandidatePlan, rule: Rule, folds: int, history: History
) -> Candidates:
    """Follow the plan once per fold, score its candidates on the held-out fold, and average the states.

    The trajectories start at one point and stay near each other, so the average of their projections is as
    good as they are, and every row helps both to train it and to score it.

    Raises
    ------
    EvenhandError
        If no class has two rows.
    """
    parts = stratified_folds(problem.y, folds, problem.seed, problem.units)
    if not parts:
        raise EvenhandError(
            "y: every class has a single row, so none can be held out for selection; add rows, or give "
            "validation"
        )
    erm = train_erm(problem, plan.erm, history)
    names: list[str] = []
    states: list[State] = []
    scored: list[tuple[Ints, HeldOutPredictions]] = []
    chosen: list[tuple[Tensor, CalibrationSet]] = []
    for number, fold in enumerate(parts, start=1):
        part, entries = fold.of(problem), History()
        path = follow(part, plan, entries)
        history += [{"fold": number, **entry} for entry in entries]
        scored.append(path.predict(part, rule))
        chosen.append((fold.train, path.chosen))
        # A running mean: one copy of the candidates is held, however many folds there are.
        means = states or path.states
        states = [mean.between(state, 1 / number) for mean, state in zip(means, path.states, strict=True)]
        names = path.names
    return Candidates(
        erm,
        CalibrationSet.merge(chosen, len(problem.y)),
        names,
        states,
        np.concatenate([predictions for predictions, _ in scored], axis=1),
        HeldOutPredictions.concatenate([rows for _, rows in scored]),
    )
