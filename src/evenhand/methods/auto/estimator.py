"""The default method: zero-shot, ERM, or a head that is balanced against a hidden minority."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar, Literal

import numpy as np

from evenhand._ranges import COUNT, FOLDS, Ranges, or_none
from evenhand._typing import Floats
from evenhand.data.head import Head
from evenhand.evaluation.verdict_sentences import kept_sentence
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.trained_state import State
from evenhand.methods.auto.candidates import FittedHead, balanced_heads, erm_heads, refit
from evenhand.methods.auto.cross_fit import (
    CrossFitted,
    candidate_scores,
    cross_fit,
    cross_fits,
    head_coefficients,
    reference_heads,
    usual_repeats,
)
from evenhand.methods.auto.hand_over import as_state
from evenhand.methods.auto.held_out import FoldModels, held_out
from evenhand.methods.auto.part import Part, all_rows
from evenhand.methods.auto.penalties import Grid, usual_grid
from evenhand.methods.auto.projected import ProjectedRows, in_memory
from evenhand.methods.auto.rows import Rows
from evenhand.methods.auto.shown_minority import MinorityRows
from evenhand.methods.base import Method
from evenhand.selection.auto_guard import Decision, DecisionRule
from evenhand.selection.ranking import METRICS, Ranking, keeps_scores
from evenhand.selection.shortcut_signs import CrossFits, ShortcutSigns, find_signs
from evenhand.selection.shortcut_verdict import verdict

RULE = "hidden_minority"


class Auto(Method):
    """Keep zero-shot, ERM or a balanced head, by cross-fitted evidence and without group labels.

    Every training row is classified by models that were not trained on it: zero-shot, ERM at several L2
    penalties toward zero-shot, and a shortcut probe that cannot read the class names. What the probe reads
    beyond zero-shot shows whether a class has a hidden minority. Balanced heads give that minority more
    weight. A rule then keeps zero-shot or ERM unless a candidate gains beyond chance. The formulas are in
    docs/explanation/selection.md.

    Parameters
    ----------
    head : Head, optional
        Projection and prototypes of the store.
    rule : DecisionRule, optional
        Decides among the candidates.
    folds : int, default=3
        Parts of a cross-fit.
    repeats : int, optional
        Number of cross-fits, each with different folds. The default is 6,000 divided by the number of rows,
        at least 2 and at most 8, because on few rows the decision depends on the folds. Above 400,000 rows ×
        classes it is 1.
    metric : "accuracy" or "auroc", default="accuracy"
        What a candidate must improve: the worst accuracy over the cells, or the worst AUROC of a cell
        against all other classes. Both are computed cell by cell, so rare classes count as much as common
        ones. AUROC does not depend on a threshold.
    random_state : int, default=0
        Seeds folds, samples and draws.

    Attributes
    ----------
    calibration_set_ : MinorityRows
        The rows that seem to lie in a hidden minority, or to be mislabeled.
    erm_ : Model
        ERM at the penalty with the lowest cross-fitted cross-entropy, for comparison.
    grid_ : list of dict
        Each candidate with its mean utility, its gain over the baseline, and the lower bound of the gain.
    notes_ : tuple of str
        What the user should know.

    Examples
    --------
    >>> import numpy as np
    >>> from evenhand import Auto
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> y = (X[:, 0] > 0).astype(int)
    >>> Auto().fit(X, y).kept_["repair"]
    'none passed'
    """

    streams: ClassVar[bool] = True
    selection = RULE
    ranges: ClassVar[Ranges] = {"folds": FOLDS, "repeats": or_none(COUNT)}

    def __init__(
        self,
        head: Head | None = None,
        rule: DecisionRule | None = None,
        folds: int = 3,
        repeats: int | None = None,
        metric: Literal["accuracy", "auroc"] = "accuracy",
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.rule = rule
        self.folds = folds
        self.repeats = repeats
        self.metric = metric
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        grid, rule, rows = usual_grid(problem), self.rule or DecisionRule(), Rows.of(problem)
        repeats = usual_repeats(len(rows.y)) if self.repeats is None else self.repeats
        scored = keeps_scores(self.metric, len(grid.names) * len(rows.y) * problem.n_classes)
        found = cross_fit(rows, grid, self.folds, repeats, scored=scored)
        whole = rows.whole()
        seen, signs, right, scores = found.seen, found.signs, found.right, found.scores
        if len(problem.y_val):
            seen, signs, right, scores = _on_validation(problem, whole, found, grid)
        ranking = None if scores is None else Ranking(scores, seen.y)
        decision = rule.decide(
            grid.names,
            right if ranking is None else ranking.above(),
            seen.y,
            signs,
            zero_shot=0,
            erm=found.erm,
            seed=problem.seed,
            others=None if ranking is None else ranking.of_others,
        )
        self.calibration_set_ = MinorityRows.of(found)
        self.notes_: tuple[str, ...] = ()
        self.kept_ = _kept(decision, signs, len(seen.y), self.metric)
        self.grid_ = decision.trials(grid.names)
        self.settings_ = {
            "grid": repr(grid),
            "rule": repr(rule),
            "folds": str(self.folds),
            "repeats": str(repeats),
        }
        erm = _state(problem, rows, whole, found, grid, found.erm)
        self.erm_ = Model.of_state(problem, erm)
        if decision.index == found.erm:
            return Model.of_state(problem, erm)
        return Model.of_state(problem, _state(problem, rows, whole, found, grid, decision.index))


def _on_validation(
    problem: Problem, whole: Part, found: CrossFitted, grid: Grid
) -> tuple[CrossFits, ShortcutSigns, Floats, Floats | None]:
    """Return the predictions of the models of all training rows for the validation rows."""
    projected = in_memory(ProjectedRows(problem.start.projection, problem.h_val))
    y = problem.y_val.numpy()
    every = [np.zeros(len(y), dtype=np.int64)]
    references, balanced = (
        held_out(projected, y, every, [[FoldModels.of(None, heads)]], scored=found.scores is not None)
        for heads in (
            reference_heads(whole, grid, problem.has_text),
            head_coefficients(whole, found.weights, grid, problem.has_text),
        )
    )
    seen = cross_fits(references, y, found.erm, grid, np.ones(len(y), dtype=bool), has_text=problem.has_text)
    right = np.concatenate([references.right[:-1], balanced.right])
    return seen, find_signs(seen), right, candidate_scores(references, balanced)


def _state(problem: Problem, rows: Rows, whole: Part, found: CrossFitted, grid: Grid, place: int) -> State:
    """Return the candidate at an index, trained on all training rows."""
    if place == 0:
        return problem.start
    number = place - 1 - len(grid.erm)
    fitted: FittedHead
    weights: Floats = np.ones(len(rows.y))
    if number < 0:
        path = grid.erm[:place]
        fitted = erm_heads(whole, path, has_text=rows.has_text)[-1]
    else:
        path, weights = grid.balanced[: number + 1], found.weights
        fitted = balanced_heads(whole, weights, path, has_text=rows.has_text)[-1]
    if len(whole.y) < len(rows.y):
        every = all_rows(rows.projected, rows.y, whole)
        fitted = refit(fitted, every, weights, path[-1], has_text=rows.has_text)
    return as_state(problem, fitted.projection(), whole.z)


def _kept(decision: Decision, signs: ShortcutSigns, n: int, metric: str) -> dict[str, Any]:
    """Return the decision, both verdicts and the figures behind them as plain data."""
    found = decision.as_dict()
    figures = {name: value for name, value in asdict(signs).items() if name not in ("low", "trust")}
    kept = {
        "rule": RULE,
        "candidate": found.pop("kept"),
        **found,
        "looked_at": len(decision.utility),
        "rows": n,
        **verdict(signs, decision, n, METRICS[metric]).as_dict(),
        **({} if metric == "accuracy" else {"metric": metric}),
        "diagnostics": figures,
    }
    return {**kept, "reason": kept_sentence(kept)}
