"""Whose view of the training rows chooses the calibration set, seen from inside a fit."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from evenhand import CFR, Head, ZeroShot
from evenhand._typing import Floats, Ints
from evenhand.methods._training.folds import stratified_folds
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.problem import Problem
from evenhand.methods.cfr.presets import STABLE
from evenhand.methods.cfr.references import (
    CrossFittedErm,
    ErmReference,
    Known,
    Reference,
    ShortcutReference,
    ZeroShotReference,
)

GENERATOR = np.random.default_rng(0)
Y = np.arange(24) % 2
X = GENERATOR.normal(size=(24, 5)).astype(np.float32)
HEAD = Head(
    np.eye(5, dtype=np.float32), None, ("0", "1"), np.eye(5, dtype=np.float32)[[1, 0]], logit_scale=4.0
)


@dataclass(frozen=True)
class Watched:
    """A reference, and the logits [N, C] that it gave."""

    inner: Reference
    seen: list[Tensor] = field(default_factory=list)

    def __call__(self, problem: Problem, known: Known) -> Tensor:
        self.seen.append(self.inner(problem, known))
        return self.seen[-1]


def fitted(reference: Reference, X: Floats = X, y: Ints = Y, head: Head | None = HEAD) -> tuple[CFR, Tensor]:
    """Fit once on all rows, which also validate, and return the model and what the reference said."""
    watched = Watched(reference)
    recipe = replace(STABLE, sgd=SGD(1e-3, epochs=1))
    labels: Any = y if head is None else y.astype(str)
    model = CFR(head, reference=watched, recipes=recipe).fit(X, labels, validation=(X, labels))
    (logits,) = watched.seen
    return model, logits


def test_zero_shot_is_the_pretrained_model() -> None:
    _, logits = fitted(ZeroShotReference())
    assert np.allclose(logits, ZeroShot(HEAD).fit(X, Y.astype(str)).model_.logits(X), atol=1e-5)


def test_erm_is_stage_1_on_its_own_rows() -> None:
    model, logits = fitted(ErmReference())
    assert np.allclose(logits, model.erm_.logits(X), atol=1e-5)


@pytest.mark.parametrize("row", [0, 7])
def test_cross_fitted_erm_judges_a_row_by_a_model_that_did_not_see_it(row: int) -> None:
    held = next(
        fold.held for fold in stratified_folds(torch.from_numpy(Y), 3, seed=0) if row in fold.held.tolist()
    )
    turned = X.copy()
    turned[row] *= -1
    before, after = (fitted(CrossFittedErm(folds=3), features)[1] for features in (X, turned))
    # Turning a row round turns its logits exactly, if the model that gives them never met the row.
    assert torch.equal(after[row], -before[row])
    mates = held[held != row]
    assert torch.equal(after[mates], before[mates])
    others = torch.tensor([i for i in range(24) if i not in held.tolist()])
    assert bool((after[others] != before[others]).any(dim=1).all())


def test_erm_itself_has_seen_every_row() -> None:
    turned = X.copy()
    turned[0] *= -1
    before, after = (fitted(ErmReference(), features)[1] for features in (X, turned))
    assert not torch.allclose(after[0], -before[0], atol=1e-4)


def test_cross_fitting_shows_errors_that_erm_does_not_make_on_its_own_rows() -> None:
    X, y = np.random.default_rng(0).normal(size=(40, 60)).astype(np.float32), np.arange(40) % 2
    own, crossed = (fitted(reference, X, y, None)[1] for reference in (ErmReference(), CrossFittedErm()))
    errors = [int((logits.argmax(dim=1).numpy() != y).sum()) for logits in (own, crossed)]
    assert errors[0] == 0
    assert errors[1] > 5


def test_a_row_alone_in_its_class_is_judged_by_the_model_it_trained() -> None:
    y = np.where(np.arange(24) == 5, 2, Y)
    model, logits = fitted(CrossFittedErm(), y=y, head=None)
    assert np.allclose(logits[5], model.erm_.logits(X)[5], atol=1e-5)


def test_rows_that_are_all_alone_leave_erm_itself() -> None:
    model, logits = fitted(CrossFittedErm(), X[:3], np.arange(3), None)
    assert np.allclose(logits, model.erm_.logits(X[:3]), atol=1e-5)


def test_the_shortcut_probe_cannot_see_what_names_the_classes() -> None:
    _, logits = fitted(ShortcutReference())
    shifted = X.copy()
    shifted[3, :2] = X[3, [1, 0]]
    # Rows keep their norm, and the two differ along the difference of the prototypes alone.
    _, again = fitted(ShortcutReference(), shifted)
    assert torch.allclose(logits[3], again[3], atol=1e-5)
    assert not torch.allclose(logits[3], logits[5], atol=1e-3)


def test_where_prototypes_leave_no_direction_over_erm_stands_in_for_the_probe() -> None:
    for classes, same in ((5, False), (6, True)):
        model, logits = fitted(ShortcutReference(), y=np.arange(24) % classes, head=None)
        assert np.allclose(logits, model.erm_.logits(X), atol=1e-5) == same
