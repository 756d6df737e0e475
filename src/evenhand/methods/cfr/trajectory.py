"""ERM and the candidates that calibration leaves, for one plan and one set of training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from evenhand._typing import Ints
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import train_erm
from evenhand.methods._training.trained_state import State
from evenhand.methods.cfr.calibrate import calibrate
from evenhand.methods.cfr.calibration_set import CalibrationRule, CalibrationSet
from evenhand.methods.cfr.held_out import ReferenceModels, fit_probe
from evenhand.methods.cfr.recipe import Recipe
from evenhand.methods.cfr.references import Known, Reference
from evenhand.methods.cfr.shortcut_probe import ShortcutProbe
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import Rule

LINE = (0.25, 0.5, 0.75)
"""Shares on the straight line from ERM to the last calibrated state."""


@dataclass(frozen=True)
class CandidatePlan:
    """How candidates are made.

    Attributes
    ----------
    erm : SGD
        Stage 1.
    reference : Reference
        The model whose errors make the calibration set.
    calibration_set : CalibrationRule
        The rule that chooses the rows.
    recipes : sequence of Recipe
        Each gives candidates along its epochs, and three on the line from ERM to its last state.
    """

    erm: SGD
    reference: Reference
    calibration_set: CalibrationRule
    recipes: Sequence[Recipe]


@dataclass(frozen=True)
class Trajectory:
    """The results of one run of a plan.

    Attributes
    ----------
    erm : State
        After stage 1.
    probe : ShortcutProbe or None
        None if the class prototypes leave no direction.
    chosen : CalibrationSet
        Anchors and positives.
    names, states : lists of K str and State
        Candidates.
    """

    erm: State
    probe: ShortcutProbe | None
    chosen: CalibrationSet
    names: list[str]
    states: list[State]

    def predict(self, problem: Problem, rule: Rule) -> tuple[Ints, HeldOutPredictions]:
        """Return predictions [K, M] and what a rule may see, on the validation rows of `problem`."""
        codes = [state.codes(problem.h_val, problem.prototypes) for state in self.states]
        return np.stack(codes), ReferenceModels(self.erm, self.probe).predict(problem, rule)


def follow(problem: Problem, plan: CandidatePlan, history: list[dict[str, float]]) -> Trajectory:
    """Train ERM and calibrate from it by every recipe of the plan."""
    erm = train_erm(problem, plan.erm, history)
    probe = fit_probe(problem)
    known = Known(erm, probe, lambda part: train_erm(part, plan.erm, []))
    logits: Tensor = plan.reference(problem, known)
    chosen = plan.calibration_set(logits, problem.y)
    names: list[str] = []
    states: list[State] = []
    for number, recipe in enumerate(plan.recipes):
        found = calibrate(problem, erm, chosen, recipe, history)
        prefix = f"recipe {number + 1}, " if len(plan.recipes) > 1 else ""
        names += [f"{prefix}epoch {epoch}" for epoch, _ in found]
        names += [f"{prefix}line {share}" for share in LINE]
        states += [state for _, state in found]
        states += [erm.between(found[-1][1], share) for share in LINE]
    return Trajectory(erm, probe, chosen, names, states)
