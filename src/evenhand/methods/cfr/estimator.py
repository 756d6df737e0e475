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
from evenhand.methods.cfr.presets import PresetName, default_recipe, preset_values
from evenhand.methods.cfr.recipe import Recipe
from evenhand.methods.cfr.references import Reference, ReferenceName, ShortcutReference, find_reference
from evenhand.methods.cfr.trajectory import CandidatePlan
from evenhand.selection.erm_guard import Evidence


class CFR(Method):
    """Train ERM, then calibrate the projection on the rows that a reference model misclassifies.

    Stage 1 is ERM. Calibration continues from ERM's projection and leaves a candidate after each epoch. A
    candidate replaces ERM only on evidence from held-out rows, without group labels.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    preset : str or None, default=None
        A key of `PRESETS`, such as "published-code". It gives values to the parameters that are None.
    reference : Reference, str or None, default=None
        The model whose errors on the training rows make the calibration set: an object, or one of the names
        "shortcut_probe", "zero_shot", "erm" and "cross_fitted_erm". None means "shortcut_probe".
    calibration_set : CalibrationRule or None, default=None
        Rule that chooses anchors and positives. None means `Misclassified()`.
    recipes : Recipe, sequence of Recipe or None, default=None
        Loss terms, draws and optimizer of calibration, or several of them to try. None means `STABLE`.
    erm : SGD or None, default=None
        Optimizer of stage 1. None means that of `ERM`.
    evidence : Evidence or None, default=None
        The rule that scores candidates, and what it takes to replace ERM. None means `Evidence()`.
    folds : int, default=3
        Number of folds, at least 2. If `fit` receives no validation rows, candidates are trained once per
        fold of the training rows, scored on the rows that the fold holds out, and averaged.
    random_state : int, default=0
        Seed of shuffles, draws, folds and bootstrap.

    Attributes
    ----------
    calibration_set_ : CalibrationSet
        Anchors and positives among the training rows.
    erm_ : Model
        The model of stage 1.
    grid_ : list of dict
        Each candidate with its gain over ERM in the rule, its gain on trusted rows, and its retention.
    settings_ : dict of str to str
        Every setting of this fit, with defaults filled in.
    notes_ : tuple of str
        Notes for the user, one sentence each.

    References
    ----------
    C. You et al., Calibrating Multi-modal Representations: A Pursuit of Group Robustness without Annotations,
    CVPR 2024, arXiv 2403.07241.

    Examples
    --------
    >>> import numpy as np
    >>> from evenhand.methods import CFR, SGD
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> model = CFR(preset="published-code", erm=SGD(learning_rate=0.01, epochs=2)).fit(X, y)
    >>> model.predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    paper = "You et al., CVPR 2024, arXiv 2403.07241"
    streams: ClassVar[bool] = True
    ranges: ClassVar[Ranges] = {"folds": FOLDS}

    def __init__(
        self,
        head: Head | None = None,
        preset: PresetName | None = None,
        reference: Reference | ReferenceName | None = None,
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
        choice = evidence.choose(found.names, found.predictions, found.scored, problem.seed)
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
                "recipes: it is empty; give at least one Recipe, or leave it out for the default"
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
        """Return the given value of a parameter, else the preset's, else its default."""
        given = getattr(self, name)
        return preset_values(self.preset).get(name, default) if given is None else given
