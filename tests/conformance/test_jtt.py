"""JTT: the wrong rows, from the start again, with 1 + λ, as a mean."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from evenhand import EvenhandError, Head
from evenhand._typing import Floats, Ints
from evenhand.methods._training.loop import SGD
from evenhand.methods.jtt import JTT, error_set, upweighted

STEP = SGD(learning_rate=3e-2, epochs=3, batch_size=16)


@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_two_trainings_from_the_start_with_the_wrong_rows_weighted_up(
    world: Callable[..., tuple[Floats, Ints, Ints]],
    head: Callable[[int], Head],
    slow_erm: Callable[..., tuple[Floats, float]],
    classes: int,
) -> None:
    X, y, _ = world(60, classes)
    method = JTT(head(classes), upweight=4.0, first_epochs=1, erm=STEP).fit(X, y.astype(str))

    first, scale = slow_erm(X, y, classes, replace(STEP, epochs=1))
    wrong = []
    for row, code in zip(X.astype(np.float64), y, strict=True):
        z = row @ first
        logits = scale * z / np.linalg.norm(z)
        wrong.append(max(range(classes), key=lambda c: logits[c]) != code)
    assert 3 < sum(wrong) < 30
    assert method.errors_.tolist() == wrong
    assert method.notes_ == ()

    weights = np.array([5.0 if is_wrong else 1.0 for is_wrong in wrong])
    second, scale = slow_erm(X, y, classes, STEP, weights=weights / weights.mean())
    assert np.allclose(method.model_.projection.tensors()["weight"].numpy(), second, atol=2e-4)
    assert method.model_.logit_scale == pytest.approx(scale, rel=1e-4)


def test_weights_are_those_of_a_set_with_lambda_more_copies_of_each_error() -> None:
    generator = np.random.default_rng(0)
    losses, errors = generator.random(30), generator.random(30) < 0.2
    copies = [loss for loss, error in zip(losses, errors, strict=True) for _ in range(8 if error else 1)]
    weights = upweighted(torch.from_numpy(errors), 7.0).numpy()
    assert np.mean(weights * losses) == pytest.approx(np.mean(copies), rel=1e-6)
    assert weights.mean() == pytest.approx(1)
    assert weights[errors].min() > weights[~errors].max()


def test_errors_are_what_the_first_model_has_wrong() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0], [0.0, 1.0, 3.0], [1.0, 0.0, 0.5]])
    errors, notes = error_set(logits, torch.tensor([0, 1, 2, 2]))
    assert errors.tolist() == [False, True, False, True]
    assert notes == ()


def test_without_errors_the_rows_of_highest_loss_stand_in() -> None:
    generator = np.random.default_rng(0)
    margin = generator.permutation(60) / 10 + 0.1
    y = np.arange(60) % 3
    logits = margin[:, None] * np.eye(3)[y]
    errors, notes = error_set(torch.from_numpy(logits), torch.from_numpy(y))
    losses = [np.log(np.exp(row).sum()) - row[code] for row, code in zip(logits, y, strict=True)]
    assert set(np.flatnonzero(errors.numpy())) == set(sorted(range(60), key=lambda i: -losses[i])[:3])
    assert notes == (
        "the first model misclassifies no training row: the 3 rows of highest loss are upweighted",
    )


def test_a_fit_without_errors_says_so(head: Callable[[int], Head]) -> None:
    y = np.arange(40) % 2
    X = np.eye(6, dtype=np.float32)[y] + np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32) / 20
    method = JTT(head(2)).fit(X, y.astype(str))
    assert "misclassifies no training row: the 2 rows of highest loss" in method.notes_[0]
    assert int(method.errors_.sum()) == 2
    assert (method.predict(X) == y.astype(str)).all()


def test_the_first_model_takes_a_fifth_of_the_epochs(
    world: Callable[..., tuple[Floats, Ints, Ints]],
) -> None:
    X, y, _ = world(60, 2)
    stages = [entry["stage"] for entry in JTT(erm=SGD(1e-2, 20)).fit(X, y).history_]
    assert stages == [1] * 4 + [2] * 20
    stages = [entry["stage"] for entry in JTT(erm=SGD(1e-2, 20), first_epochs=1).fit(X, y).history_]
    assert stages == [1] + [2] * 20


def test_a_negative_weight_is_refused(world: Callable[..., tuple[Floats, Ints, Ints]]) -> None:
    X, y, _ = world(60, 2)
    with pytest.raises(EvenhandError, match=r"upweight must be at least 0, but it is -1; the default is 20"):
        JTT(upweight=-1).fit(X, y)
