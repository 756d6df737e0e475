"""Contrastive Feature Recalibration (arXiv 2403.07241), chosen without group labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, ClassVar

from evenhand._errors import EvenhandError
from evenhand._ranges import FOLDS, Ranges
from evenhand.data.head import Head
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method
from evenhand.methods.cfr.calibrate import GRID, NEAREST, PAPER, PAPER_CODE, STABLE, Recipe, default_recipe
from evenhand.methods.cfr.calibration_rules import CalibrationRule, Misclassified
from evenhand.methods.cfr.candidates import cross_fitted, validated
from evenhand.methods.cfr.references import (
    CrossFittedErm,
    ErmReference,
    Reference,
    ShortcutReference,
    ZeroShotReference,
)
from evenhand.methods.cfr.trajectory import CandidatePlan
from evenhand.methods.erm import erm_sgd
from evenhand.selection.evidence import Evidence


class CFR(Method):
    """ERM, then calibration of the projection on the rows that a reference misclassifies.

    Parameters
    ----------
    head : Head, optional
        Projection and prototypes of the store.
    reference : Reference, optional
        Whose view of the training rows chooses the calibration set; a shortcut probe's by default.
    calibration_set : CalibrationRule, optional
        Which rows calibrate; the misclassified ones by default.
    recipes : Recipe or sequence of Recipe, optional
        Loss terms, draws and optimiser of calibration, or a grid of them; `STABLE` by default.
    erm : SGD, optional
        How stage 1 is trained.
    evidence : Evidence, optional
        The rule that judges candidates, and what it takes for one to replace ERM.
    folds : int
        Without validation rows, candidates are trained once per fold of the training rows, judged on the fold
        that they did not see, and averaged.
    random_state : int
        Seeds shuffles, draws, folds and bootstrap.

    Attributes
    ----------
    calibration_set_ : CalibrationSet
        Anchors and positives among the training rows.
    erm_ : Model
        The stage-1 model, for comparison.
    grid_ : list of dict
        Each candidate with its gain over ERM in the rule, its gain on trusted rows, and its retention.
    settings_ : dict of str to str
        Every setting of this fit, defaults filled in.
    notes_ : tuple of str
        What the user should know.
    """

    paper = "You et al., CVPR 2024, arXiv 2403.07241"
    streams: ClassVar[bool] = True
    ranges: ClassVar[Ranges] = {"folds": FOLDS}

    def __init__(
        self,
        head: Head | None = None,
        reference: Reference | None = None,
        calibration_set: CalibrationRule | None = None,
        recipes: Recipe | Sequence[Recipe] | None = None,
        erm: SGD | None = None,
        evidence: Evidence | None = None,
        folds: int = 3,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.reference = reference
        self.calibration_set = calibration_set
        self.recipes = recipes
        self.erm = erm
        self.evidence = evidence
        self.folds = folds
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        plan, evidence = self._plan(problem), self.evidence or Evidence()
        if len(problem.y_val):
            found = validated(problem, plan, evidence.rule, self.history_)
        else:
            found = cross_fitted(problem, plan, evidence.rule, self.folds, self.history_)
        choice = evidence.choose(found.names, found.predictions, found.judged, problem.seed)
        self.calibration_set_ = found.chosen
        self.notes_ = found.chosen.notes
        self.kept_ = {"rule": evidence.rule.name, **choice.as_dict()}
        self.grid_ = [dict(trial) for trial in choice.trials]
        self.settings_ = {
            **{field.name: repr(getattr(plan, field.name)) for field in fields(plan)},
            "evidence": repr(evidence),
            "folds": str(self.folds),
        }
        self.erm_ = Model.of_state(problem, found.erm)
        return Model.of_state(problem, found.erm if choice.index is None else found.states[choice.index])

    def _plan(self, problem: Problem) -> CandidatePlan:
        recipes = default_recipe(problem) if self.recipes is None else self.recipes
        recipes = (recipes,) if isinstance(recipes, Recipe) else tuple(recipes)
        if not recipes:
            raise EvenhandError(
                "recipes must hold at least one Recipe, but it is empty; leave it out for the usual one"
            )
        return CandidatePlan(
            self.erm or erm_sgd(problem),
            self.reference or ShortcutReference(),
            self.calibration_set or Misclassified(),
            recipes,
        )


PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "grid": {"recipes": GRID},
    "nearest": {"recipes": NEAREST},
    "stable": {"reference": ErmReference(), "recipes": STABLE},
    "cross-fitted": {"reference": CrossFittedErm(), "recipes": STABLE},
    "paper": {"reference": ErmReference(), "recipes": PAPER},
    "paper-code": {"reference": ErmReference(), "recipes": PAPER_CODE},
    "paper-zero-shot": {"reference": ZeroShotReference(), "recipes": PAPER},
}
"""Parameters of CFR by name; every preset replaces ERM only on evidence."""
