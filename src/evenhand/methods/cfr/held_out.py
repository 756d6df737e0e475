"""What selection may see of held-out rows: ERM, zero-shot and a shortcut probe, none trained on them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from evenhand._random import torch_stream
from evenhand._typing import Floats, Ints
from evenhand.data.head import Head
from evenhand.data.table import StoredRows
from evenhand.methods._training.problem import Problem, build_problem
from evenhand.methods._training.state import State
from evenhand.methods._training.train_erm import erm_sgd, train_erm
from evenhand.methods.cfr.calibration_set import margins
from evenhand.methods.cfr.references import probe_logits
from evenhand.methods.cfr.shortcut_probe import ShortcutProbe
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import Rule

PROBE_ROWS = 20_000
"""Rows that fit the shortcut probe at most: it has one strongly regularized direction per class to learn."""


@dataclass(frozen=True)
class ReferenceModels:
    """Models of one training part that a judgement of other rows refers to.

    Attributes
    ----------
    erm : State
        Stage 1.
    probe : ShortcutProbe or None
        None where the class prototypes leave no direction over.
    """

    erm: State
    probe: ShortcutProbe | None

    def judge(self, problem: Problem, rule: Rule) -> HeldOutPredictions:
        """Return what `rule` may see of the validation rows of `problem`."""
        h, prototypes = problem.h_val, problem.prototypes
        y = problem.y_val.numpy()
        zero_shot = problem.start.logits_of_all(h, prototypes)
        probe = None if self.probe is None else probe_logits(self.probe, problem.start, h)
        return HeldOutPredictions(
            y=y,
            zero_shot=zero_shot.argmax(dim=1).numpy(),
            erm_logits=self.erm.logits_of_all(h, prototypes).numpy(),
            shortcut=y if probe is None else probe.argmax(dim=1).numpy(),
            zero_shot_margin=margins(zero_shot, problem.y_val).numpy(),
            shortcut_margin=None if probe is None else margins(probe, problem.y_val).numpy(),
            z=problem.start.embed_all(h.all(rule.name)).numpy() if rule.reads_features else None,
            groups=problem.groups_val,
            has_text=problem.has_text,
        )


def fit_probe(problem: Problem) -> ShortcutProbe | None:
    """Return the shortcut probe of the training rows; None where the prototypes leave no direction over."""
    if not ShortcutProbe.possible(problem.prototypes):
        return None
    rows = torch.arange(len(problem.y))
    if len(rows) > PROBE_ROWS:
        stream = torch_stream(problem.seed, "shortcut-probe")
        rows = torch.randperm(len(rows), generator=stream)[:PROBE_ROWS]
    z = problem.start.embed_all(problem.h.take(rows))
    return ShortcutProbe.fit(z, problem.y[rows], problem.prototypes)


def held_out_predictions(
    X: Floats | StoredRows,
    y: Ints,
    X_held: Floats | StoredRows,
    y_held: Ints,
    head: Head,
    rule: Rule,
    seed: int,
) -> HeldOutPredictions:
    """Fit the judges on training rows and return what `rule` may see of the held-out ones.

    Parameters
    ----------
    X, X_held : float32 [N, D_in], [M, D_in]
        Features before the projection.
    y, y_held : int64 [N], [M]
        Codes into the head's classes.
    head : Head
        Projection and prototypes of the store.
    rule : Rule
        Who will look.
    seed : int
        The judges' ERM is the method ERM with this seed and its usual parameters.
    """
    problem = build_problem(X, y, X_held, y_held, len(head.classes), head, seed)
    erm = train_erm(problem, erm_sgd(problem), [])
    return ReferenceModels(erm, fit_probe(problem)).judge(problem, rule)
