import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from evenhand import CFR, ERM, EvenhandError, Head, ZeroShot
from evenhand.methods._training.loop import SGD
from evenhand.methods.cfr.presets import PRESETS

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
Y = np.array(["a", "b"] * 20)
HEAD = Head(np.eye(4, dtype=np.float32), None, ("a", "b"), np.eye(4, dtype=np.float32)[:2])


def test_one_class_is_refused() -> None:
    with pytest.raises(EvenhandError, match="y: it has 1 class"):
        ERM().fit(X, ["a"] * 40)


def test_a_head_of_another_width_is_refused() -> None:
    with pytest.raises(EvenhandError, match="X has 3 columns but the head's projection takes 4"):
        ERM(HEAD).fit(X[:, :3], Y)


def test_a_label_the_head_does_not_know_is_refused() -> None:
    with pytest.raises(EvenhandError, match="label 'c' is unknown; the classes are a, b"):
        ERM(HEAD).fit(X, np.where(np.arange(40) == 3, "c", Y))


def test_a_class_without_training_rows_is_refused() -> None:
    head = Head(HEAD.weight, None, ("a", "b", "c"), np.eye(4, dtype=np.float32)[:3])
    with pytest.raises(EvenhandError, match="class 'c' has no training rows"):
        ERM(head).fit(X, Y)


def test_predicting_before_fitting_is_refused() -> None:
    with pytest.raises(NotFittedError):
        ZeroShot().predict(X)


def test_not_finite_features_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        ERM().fit(np.full_like(X, np.nan), Y)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_every_preset_fits_any_number_of_classes(preset: str, classes: int) -> None:
    y = np.arange(40) % classes
    model = CFR(preset=preset).fit(X, y, validation=(X, y))
    assert np.allclose(model.predict_proba(X).sum(axis=1), 1)
    assert model.kept_ is not None


@pytest.mark.parametrize(("epochs", "batch"), [(0, 8), (-1, 8), (3, 0)])
def test_no_epochs_and_empty_batches_are_refused(epochs: int, batch: int) -> None:
    name = "epochs" if epochs < 1 else "batch_size"
    with pytest.raises(EvenhandError, match=f"{name} must be at least 1, but it is"):
        ERM(epochs=epochs, batch_size=batch).fit(X, Y)
    with pytest.raises(EvenhandError, match=f"{name} must be at least 1, but it is"):
        SGD(1e-3, epochs, batch)
