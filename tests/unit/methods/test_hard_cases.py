"""Training sets at the edge of what can be calibrated: the fit is defined, finite, and says what it did."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evenhand import CFR, ERM, Head, ZeroShot
from evenhand._typing import Floats, Ints
from evenhand.methods._draws.negatives import NearestNegatives, NegativeRule, RandomNegatives
from evenhand.methods._draws.positives import Centroid, DrawnRows, PositiveRule
from evenhand.methods._training.loop import SGD
from evenhand.methods.cfr.presets import PRESETS, STABLE
from evenhand.methods.cfr.references import CrossFittedErm, ErmReference, ZeroShotReference
from evenhand.selection.erm_guard import NONE_PASSED, Evidence
from evenhand.selection.held_out import HeldOutPredictions

QUICK = replace(STABLE, sgd=SGD(1e-3, epochs=2))
EYE = np.eye(4, dtype=np.float32)


def noise(n: int, width: int = 4, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def head(*text: int) -> Head:
    """Return the identity with the given axes as prototypes of classes a, b, …."""
    return Head(EYE, None, tuple("abcd"[: len(text)]), EYE[list(text)])


def fitted(model: CFR, X: Floats, y: Any, validate: bool) -> CFR:
    """Fit, on all rows as validation or on none, and check that everything is finite."""
    model.fit(X, y, validation=(X, y) if validate else None)
    assert all(np.isfinite(tensor.numpy()).all() for tensor in model.model_.projection.tensors().values())
    assert np.isfinite(model.model_.logit_scale)
    assert np.isfinite(model.predict_proba(X)).all()
    assert model.kept_ is not None
    return model


@pytest.fixture(params=[True, False], ids=["validation", "folds"])
def validate(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_reference_that_fits_everything_leaves_the_lowest_margins(validate: bool) -> None:
    y = np.arange(60) % 2
    model = fitted(CFR(reference=ErmReference(), recipes=QUICK), noise(60) + 9 * EYE[y], y, validate)
    assert "the reference misclassifies no training row" in model.notes_[0]
    assert len(model.calibration_set_.anchors) >= 2


def test_a_class_that_is_all_wrong_is_told_and_still_has_a_positive(validate: bool) -> None:
    y = np.arange(40) % 2
    X = np.abs(noise(40)) + 3 * EYE[0]
    X[:, 1] = 0
    model = CFR(head(0, 1), reference=ZeroShotReference(), recipes=QUICK)
    model = fitted(model, X, np.array(["a", "b"])[y], validate)
    assert model.calibration_set_.anchors.tolist() == np.flatnonzero(y).tolist()
    assert model.notes_ == (
        "1 of 2 classes (codes 1) have no row that the reference classifies correctly: "
        "the row of highest margin is the only positive there",
    )


def test_classes_that_are_all_wrong_are_told(validate: bool) -> None:
    y = np.arange(40) % 2
    X = noise(40) / 10 + 3 * EYE[1 - y]
    labels = np.array(["a", "b"])[y]
    model = fitted(CFR(head(0, 1), reference=ZeroShotReference(), recipes=QUICK), X, labels, validate)
    assert len(model.calibration_set_.anchors) == 40
    assert "2 of 2 classes (codes 0, 1) have no row" in model.notes_[0]


@pytest.mark.parametrize("preset", ["default", "cross-fitted", "published-code"])
def test_a_class_with_one_row(preset: str, validate: bool) -> None:
    y = np.where(np.arange(30) == 4, 2, np.arange(30) % 2)
    model = fitted(CFR(preset=preset, recipes=QUICK), noise(30), y, validate)
    assert model.classes_.tolist() == [0, 1, 2]
    part = model.calibration_set_
    assert 4 in [*part.anchors.tolist(), *part.positives[2].tolist()]


@pytest.mark.parametrize("positives", [DrawnRows(99), Centroid(99)])
@pytest.mark.parametrize("negatives", [RandomNegatives(99), NearestNegatives(99)])
def test_more_draws_than_rows(positives: PositiveRule, negatives: NegativeRule, validate: bool) -> None:
    recipe = replace(QUICK, positives=positives, negatives=negatives)
    fitted(CFR(recipes=recipe), noise(12), np.arange(12) % 3, validate)


@pytest.mark.parametrize("preset", PRESETS)
def test_constant_features(preset: str) -> None:
    y = np.arange(40) % 2
    model = fitted(CFR(preset=preset), np.full((40, 4), 3, np.float32), y, preset == "published-similarity")
    assert len(set(model.predict(np.full((40, 4), 3, np.float32)))) == 1
    assert model.kept_ is not None
    assert NONE_PASSED in model.kept_["reason"]


@pytest.mark.parametrize("preset", ["default", "cross-fitted", "published-similarity"])
def test_duplicate_rows_of_both_labels(preset: str, validate: bool) -> None:
    X, y = np.repeat(noise(6), 8, axis=0), np.arange(48) % 2
    model = fitted(CFR(preset=preset, recipes=QUICK), X, y, validate)
    predicted = model.predict(X).reshape(6, 8)
    assert (predicted == predicted[:, :1]).all()


@pytest.mark.parametrize("classes", [2, 10, 65, 100, 1000])
def test_two_to_a_thousand_classes_of_three_rows(classes: int) -> None:
    y = np.repeat(np.arange(classes), 3)
    X = noise(classes, 64)[y] + noise(3 * classes, 64, seed=1) / 2
    model = fitted(CFR(erm=SGD(1e-2, epochs=2), recipes=QUICK), X, y, False)
    assert model.predict_proba(X[:5]).shape == (5, classes)
    assert float((model.predict(X) == y).mean()) > 0.9
    assert model.kept_ is not None
    assert model.kept_["candidate"] == "erm"


@pytest.mark.parametrize("preset", ["default", "cross-fitted", "published-similarity"])
@pytest.mark.parametrize("rows", [3, 5])
def test_fewer_rows_than_a_batch(preset: str, rows: int, validate: bool) -> None:
    model = fitted(CFR(preset=preset, recipes=QUICK), noise(rows), np.arange(rows) % 2, validate)
    assert model.kept_ is not None
    assert NONE_PASSED in model.kept_["reason"]


def test_a_projected_row_of_exactly_zero_does_not_stop_learning(validate: bool) -> None:
    y = np.arange(40) % 2
    X = noise(40) / 10 + EYE[1 - y]
    X[:3] = EYE[3]
    blind = replace(head(0, 1), weight=np.diag([1, 1, 1, 0]).astype(np.float32))
    labels = np.array(["a", "b"])[y]
    assert not ZeroShot(blind).fit(X, labels).transform(X[:3]).any()
    erm = ERM(blind, learning_rate=0.3, epochs=40).fit(X, labels)
    losses = [entry["loss"] for entry in erm.history_]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.3 * losses[0]
    assert (erm.predict(X[3:]) == labels[3:]).all()
    fitted(CFR(blind, reference=CrossFittedErm(), recipes=QUICK), X, labels, validate)


def test_candidates_that_equal_erm_gain_nothing_and_leave_it(validate: bool) -> None:
    y = np.arange(60) % 2
    still = replace(STABLE, sgd=SGD(0.0, epochs=1))
    model = fitted(CFR(recipes=still), noise(60), y, validate)
    assert model.kept_ is not None
    assert model.kept_["candidate"] == "erm"


def judged(y: Ints, erm: Ints) -> HeldOutPredictions:
    return HeldOutPredictions(
        y=y, zero_shot=y, erm_logits=np.eye(2, dtype=np.float32)[erm], shortcut=np.arange(len(y)) // 10 % 2
    )


def test_a_gain_that_no_draw_can_change_is_its_own_lower_bound() -> None:
    """ERM has one cell of each class right and one wrong; the candidate has all right."""
    y = np.repeat([0, 1], 20)
    rows = judged(y, np.where(np.arange(40) // 10 % 2 == 0, y, 1 - y))
    choice = Evidence().choose(["all right"], y[None], rows, 0)
    assert choice.candidate == "all right"
    assert choice.gain == choice.low == 0.5
    assert Evidence().choose(["same"], rows.erm[None], rows, 0).candidate == "erm"


def test_validation_labels_that_are_all_swapped_leave_erm() -> None:
    y = np.arange(40) % 2
    X = noise(40) + 9 * EYE[y]
    model = CFR(recipes=QUICK).fit(X, y, validation=(X, 1 - y))
    assert model.kept_ is not None
    assert model.kept_["candidate"] == "erm"
