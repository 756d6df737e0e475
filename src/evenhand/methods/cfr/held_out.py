"""Predictions on held-out rows: by ERM, zero-shot and a shortcut probe that did not train on them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from evenhand._random import torch_stream
from evenhand._typing import Floats, Ints
from evenhand.data.head import Head
from evenhand.data.table import StoredRows
from evenhand.methods._training.problem import Problem, build_problem
from evenhand.methods._training.train_erm import erm_sgd, train_erm
from evenhand.methods._training.trained_state import State
from evenhand.methods.cfr.calibration_set import margins
from evenhand.methods.cfr.references import probe_logits
from evenhand.methods.cfr.shortcut_probe import ShortcutProbe
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import Rule

PROBE_ROWS = 20_000
"""Largest number of rows that fit the shortcut probe, which learns one direction per class."""


@dataclass(frozen=True)
class ReferenceModels:
    """Models of one training part, which predict the rows of another part.

    Attributes
    ----------
    erm : State
        The model of stage 1.
    probe : ShortcutProbe or None
        None if the prototypes span the whole space.
    """

    erm: State
    probe: ShortcutProbe | None

    def predict(self, problem: Problem, rule: Rule) -> HeldOutPredictions:
        """Return the predictions on the validation rows of `problem` that `rule` may use."""
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
    """Return the shortcut probe of the training rows; None if the prototypes span the whole space."""
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
    """Fit ERM and the shortcut probe on training rows, and return their predictions on held-out rows.

    Parameters
    ----------
    X, X_held : float32 [N, D_in], [M, D_in]
        Features before the projection.
    y, y_held : int64 [N], [M]
        Class codes, in the order of the head's classes.
    head : Head
        Projection and prototypes of the store.
    rule : Rule
        The rule that will score candidates; it decides whether embeddings are included.
    seed : int
        Random seed of ERM and of the probe's rows.

    Returns
    -------
    HeldOutPredictions
    """
    problem = build_problem(X, y, X_held, y_held, len(head.classes), head, seed)
    erm = train_erm(problem, erm_sgd(problem), [])
    return ReferenceModels(erm, fit_probe(problem)).predict(problem, rule)
