"""ERM and the candidates that calibration leaves on its way, for one recipe and one set of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evenhand._random import torch_stream
from evenhand._typing import Ints
from evenhand.calibration.rules import CalibrationRule
from evenhand.calibration.sets import CalibrationSet, margins
from evenhand.calibration.shortcut import ShortcutProbe
from evenhand.methods._calibrate import Recipe, calibrate
from evenhand.methods._erm import train_erm
from evenhand.methods._loop import SGD
from evenhand.methods._problem import Problem
from evenhand.methods._references import Known, Reference, probe_logits
from evenhand.methods._state import State
from evenhand.selection.judged import Judged
from evenhand.selection.rules import Rule

LINE = (0.25, 0.5, 0.75)
"""Shares on the straight line from ERM to the last calibrated state."""


PROBE_ROWS = 50_000
"""Rows that fit the shortcut probe at most: it has one strongly regularised direction per class to learn."""


@dataclass(frozen=True)
class Plan:
    """How candidates are made.

    Attributes
    ----------
    erm : SGD
        Stage 1.
    reference : Reference
        Whose view of the rows counts.
    calibration_set : CalibrationRule
        Which rows calibrate.
    recipes : sequence of Recipe
        Each gives candidates along its epochs, and three on the line from ERM to its last state.
    """

    erm: SGD
    reference: Reference
    calibration_set: CalibrationRule
    recipes: Sequence[Recipe]


@dataclass(frozen=True)
class Trajectory:
    """What one run of a plan leaves behind.

    Attributes
    ----------
    erm : State
        After stage 1.
    probe : ShortcutProbe or None
        None where the class prototypes leave no direction over.
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

    def judge(self, problem: Problem, rule: Rule) -> tuple[Ints, Judged]:
        """Return predictions [K, M] and what a rule may see, on the validation rows of `problem`."""
        h, prototypes = problem.h_val, problem.prototypes
        y = problem.y_val.numpy()
        zero_shot = problem.start.logits_of_all(h, prototypes)
        probe = None if self.probe is None else probe_logits(self.probe, problem.start, h)
        predictions = np.stack([state.codes(h, prototypes) for state in self.states])
        judged = Judged(
            y=y,
            zero_shot=zero_shot.argmax(dim=1).numpy(),
            erm_logits=self.erm.logits_of_all(h, prototypes).numpy(),
            shortcut=y if probe is None else probe.argmax(dim=1).numpy(),
            zero_shot_margin=margins(zero_shot, problem.y_val).numpy(),
            shortcut_margin=None if probe is None else margins(probe, problem.y_val).numpy(),
            z=problem.start.embed_all(h).numpy() if rule.reads_features else None,
            groups=problem.groups_val,
        )
        return predictions, judged


def follow(problem: Problem, plan: Plan, history: list[dict[str, float]]) -> Trajectory:
    """Train ERM and calibrate from it by every recipe of the plan."""
    erm = train_erm(problem, plan.erm, history)
    probe = None
    if ShortcutProbe.possible(problem.prototypes):
        rows = torch.arange(len(problem.y))
        if len(rows) > PROBE_ROWS:
            stream = torch_stream(problem.seed, "shortcut-probe")
            rows = torch.randperm(len(rows), generator=stream)[:PROBE_ROWS]
        z = problem.start.embed_all(problem.h.take(rows))
        probe = ShortcutProbe.fit(z, problem.y[rows], problem.prototypes)
    known = Known(erm, probe, lambda part: train_erm(part, plan.erm, []))
    logits: Tensor = plan.reference(problem, known)
    chosen = plan.calibration_set(logits, problem.y, torch_stream(problem.seed, "calibration-set"))
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
