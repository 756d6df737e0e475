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
from evenhand.methods._training.train_erm import erm_sgd
from evenhand.methods.base import Method
from evenhand.methods.cfr.calibration_set import CalibrationRule, Misclassified
from evenhand.methods.cfr.candidates import cross_fitted, validated
from evenhand.methods.cfr.presets import preset_values
from evenhand.methods.cfr.recipe import Recipe, default_recipe
from evenhand.methods.cfr.references import Reference, ShortcutReference, find_reference
from evenhand.methods.cfr.trajectory import CandidatePlan
from evenhand.selection.evidence import Evidence


class CFR(Method):
    """ERM, then calibration of the projection on the rows that a reference misclassifies.

    Parameters
    ----------
    head : Head, optional
        Projection and prototypes of the store.
    preset : str, optional
        A key of `PRESETS`, such as "paper" or "nearest": values for the parameters that are left at None.
    reference : Reference or str, optional
        The model whose errors on the training rows make the calibration set: an object, or "shortcut_probe"
        (the default), "zero_shot", "erm" or "cross_fitted_erm".
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
        preset: str | None = None,
        reference: Reference | str | None = None,
        calibration_set: CalibrationRule | None = None,
        recipes: Recipe | Sequence[Recipe] | None = None,
        erm: SGD | None = None,
        evidence: Evidence | None = None,
        folds: int = 3,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.preset = preset
        self.reference = reference
        self.calibration_set = calibration_set
        self.recipes = recipes
        self.erm = erm
        self.evidence = evidence
        self.folds = folds
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        plan, evidence = self._plan(problem), self._value("evidence", Evidence())
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

    def check_ranges(self) -> None:
        """Refuse an unknown preset or reference, an empty list of recipes, and numbers out of range."""
        super().check_ranges()
        find_reference(self._value("reference", ShortcutReference()))
        recipes = self._value("recipes", None)
        if recipes is not None and not isinstance(recipes, Recipe) and not recipes:
            raise EvenhandError(
                "recipes must hold at least one Recipe, but it is empty; leave it out for the usual one"
            )

    def _plan(self, problem: Problem) -> CandidatePlan:
        recipes = self._value("recipes", None)
        recipes = default_recipe(problem) if recipes is None else recipes
        return CandidatePlan(
            self._value("erm", None) or erm_sgd(problem),
            find_reference(self._value("reference", ShortcutReference())),
            self._value("calibration_set", Misclassified()),
            (recipes,) if isinstance(recipes, Recipe) else tuple(recipes),
        )

    def _value(self, name: str, default: Any) -> Any:
        """Return a parameter as given, else as the preset has it, else its default."""
        given = getattr(self, name)
        return preset_values(self.preset).get(name, default) if given is None else given
