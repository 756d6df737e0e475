"""Contrastive Feature Recalibration (arXiv 2403.07241), chosen without group labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from evenhand.calibration.sets import CalibrationRule, CalibrationSet, Misclassified
from evenhand.calibration.shortcut import ShortcutProbe
from evenhand.data.head import Head
from evenhand.methods._calibrate import PAPER, STABLE, Recipe, calibrate
from evenhand.methods._erm import train_erm
from evenhand.methods._loop import SGD
from evenhand.methods._model import Model
from evenhand.methods._problem import Problem
from evenhand.methods._state import State
from evenhand.methods.base import Method
from evenhand.methods.erm import ERM_SGD
from evenhand.selection.evidence import Evidence

LINE = (0.25, 0.5, 0.75)
"""Shares on the straight line from ERM to the last calibrated state."""


class CFR(Method):
    """ERM, then calibration of the projection on the rows that a reference misclassifies.

    Parameters
    ----------
    head : Head, optional
        Projection and prototypes of the store.
    calibration_set : CalibrationRule, optional
        Which rows calibrate; by default those that a shortcut probe misclassifies.
    recipe : Recipe, optional
        Loss terms, draws and optimiser of calibration; `STABLE` by default.
    erm : SGD, optional
        How stage 1 is trained.
    evidence : Evidence, optional
        What it takes for a calibrated state to replace ERM.
    random_state : int
        Seeds hold-out, shuffles, draws and bootstrap.

    Attributes
    ----------
    calibration_set_ : CalibrationSet
        Anchors and positives, as rows of the training part.
    erm_ : Model
        The stage-1 model, for comparison.
    notes_ : tuple of str
        What the user should know.
    """

    def __init__(
        self,
        head: Head | None = None,
        calibration_set: CalibrationRule | None = None,
        recipe: Recipe | None = None,
        erm: SGD | None = None,
        evidence: Evidence | None = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.calibration_set = calibration_set
        self.recipe = recipe
        self.erm = erm
        self.evidence = evidence
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        recipe = self.recipe or STABLE
        erm = train_erm(problem, self.erm or ERM_SGD, self.history_)
        probe = _probe(problem)
        self.calibration_set_ = self._choose_rows(problem, erm, probe)
        states = calibrate(problem, erm, self.calibration_set_, recipe, self.history_)
        names = [f"epoch {epoch}" for epoch in range(1, len(states) + 1)]
        names += [f"line {share}" for share in LINE]
        states += [erm.between(states[-1], share) for share in LINE]
        choice = (self.evidence or Evidence()).choose(
            names,
            np.stack([_predict(problem, state) for state in states]),
            _predict(problem, erm),
            problem.y_val.numpy(),
            _cells(problem, probe),
            problem.seed,
        )
        self.notes_ = self.calibration_set_.notes
        self.kept_ = choice.as_dict()
        self.erm_ = Model.of_state(problem, erm)
        return Model.of_state(problem, erm if choice.index is None else states[choice.index])

    def _choose_rows(self, problem: Problem, erm: State, probe: ShortcutProbe | None) -> CalibrationSet:
        rule = self.calibration_set or Misclassified("shortcut" if probe else "erm")
        if rule.reference == "shortcut" and probe is not None:
            logits = probe.logits(problem.start.embed(problem.h))
        else:
            reference = problem.start if rule.reference == "zero_shot" else erm
            logits = reference.logits(problem.h, problem.prototypes)
        return rule(logits, problem.y)


PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "stable": {"calibration_set": Misclassified("erm"), "recipe": STABLE},
    "paper": {"calibration_set": Misclassified("erm"), "recipe": PAPER},
    "paper-zero-shot": {"calibration_set": Misclassified("zero_shot"), "recipe": PAPER},
}
"""Parameters of CFR by name; every preset replaces ERM only on evidence."""


def _probe(problem: Problem) -> ShortcutProbe | None:
    if not ShortcutProbe.possible(problem.prototypes):
        return None
    return ShortcutProbe.fit(problem.start.embed(problem.h), problem.y, problem.prototypes)


def _cells(problem: Problem, probe: ShortcutProbe | None) -> Any:
    """Return cell numbers [M]: class × (shortcut probe right or wrong); classes alone without a probe."""
    if probe is None:
        return problem.y_val.numpy()
    right: Tensor = probe.logits(problem.start.embed(problem.h_val)).argmax(dim=1) == problem.y_val
    return (2 * problem.y_val + right.long()).numpy()


@torch.no_grad()
def _predict(problem: Problem, state: State) -> Any:
    return state.logits(problem.h_val, problem.prototypes).argmax(dim=1).numpy()
