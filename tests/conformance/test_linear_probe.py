"""The linear probe against the conditions of its minimum, summed row by row in float64."""

from collections.abc import Callable

import numpy as np
import pytest

from evenhand import Head, LinearProbe
from evenhand._typing import Floats, Ints
from evenhand.methods._training.logistic import logistic


def slopes(z: Floats, y: Ints, v: Floats, d: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return Σ_i w_i (p_i − e_{y_i}) z_iᵀ, [C, D], and Σ_i w_i (p_i − e_{y_i}), [C]."""
    of_v, of_d = np.zeros_like(v), np.zeros_like(d)
    for row, code, weight in zip(z, y, weights, strict=True):
        logits = v @ row + d
        p = np.exp(logits) / np.exp(logits).sum()
        p[code] -= 1
        of_v += weight * np.outer(p, row)
        of_d += weight * p
    return of_v, of_d


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("C", [0.1, 10.0])
def test_the_model_is_the_minimum_on_unit_embeddings(
    world: Callable[..., tuple[Floats, Ints, Ints]],
    head: Callable[[int], Head],
    classes: int,
    C: float,
) -> None:
    X, y, _ = world(200, classes)
    labels = y.astype(str)
    model = LinearProbe(head(classes), Cs=(C,)).fit(X, labels).model_
    v, d = model.prototypes.astype(np.float64), model.intercept.astype(np.float64)
    z = X.astype(np.float64) / np.linalg.norm(X, axis=1, keepdims=True)
    of_v, of_d = slopes(z, y, v, d, np.ones(len(y)))
    # Of two classes the penalty is on the difference v_1 − v_0, whose slope is that of v_1.
    penalised = v if classes > 2 else np.stack([v[0] - v[1], v[1] - v[0]])
    assert np.allclose(C * of_v + penalised, 0, atol=2e-3 * C * len(y) ** 0.5)
    assert np.allclose(C * of_d, 0, atol=2e-3 * C * len(y) ** 0.5), "the intercept bears no penalty"
    assert model.logit_scale == 1
    assert np.allclose(model.logits(X), z @ v.T + d, atol=1e-4)


def test_halves_of_two_classes_give_the_logistic_function(
    world: Callable[..., tuple[Floats, Ints, Ints]],
) -> None:
    from sklearn.linear_model import LogisticRegression

    X, y, _ = world(200, 2)
    v, d = logistic(X, y, 1.0)
    logits = X @ v.T + d
    expected = LogisticRegression(C=1.0).fit(X, y).predict_proba(X)[:, 1]
    assert np.allclose(1 / (1 + np.exp(logits[:, 0] - logits[:, 1])), expected, atol=1e-5)


def test_the_penalty_is_chosen_by_plain_accuracy_on_rows_that_do_not_train_and_then_all_rows_fit(
    world: Callable[..., tuple[Floats, Ints, Ints]], head: Callable[[int], Head]
) -> None:
    X, y, _ = world(300, 3, share=0.7)
    y = y.astype(str)
    X_val, y_val, _ = world(90, 3, seed=1, share=0.2)
    y_val = y_val.astype(str)
    grid = (10.0, 1e-3, 1.0)
    probe = LinearProbe(head(3), Cs=grid).fit(X, y, validation=(X_val, y_val))
    alone = [LinearProbe(head(3), Cs=(C,)).fit(X, y) for C in sorted(grid, reverse=True)]
    rates = [sum(p == t for p, t in zip(one.predict(X_val), y_val, strict=True)) / 90 for one in alone]
    assert [tried["C"] for tried in probe.grid_] == sorted(grid, reverse=True)
    assert [tried["accuracy"] for tried in probe.grid_] == pytest.approx(rates)
    assert len(set(rates)) > 1
    best = sorted(grid, reverse=True)[int(np.argmax(rates))]
    refit = LinearProbe(head(3), Cs=(best,)).fit(np.concatenate([X, X_val]), np.concatenate([y, y_val]))
    assert np.allclose(probe.model_.prototypes, refit.model_.prototypes, atol=1e-4)


def test_equal_scores_go_to_the_weakest_penalty() -> None:
    y = np.arange(80) % 2
    X = np.where(y[:, None] == 0, -1.0, 1.0) * np.ones((80, 3))
    probe = LinearProbe(Cs=(0.1, 1.0)).fit(X, y, validation=(X, y))
    assert probe.grid_ == [{"C": 1.0, "accuracy": 1.0}, {"C": 0.1, "accuracy": 1.0}]
    weakest = LinearProbe(Cs=(1.0,)).fit(X, y, validation=(X, y))
    assert probe.model_.prototypes.tobytes() == weakest.model_.prototypes.tobytes()


@pytest.mark.parametrize("Cs", [(1.0,), (1.0, 10.0)])
def test_every_training_row_fits_the_probe(
    world: Callable[..., tuple[Floats, Ints, Ints]], head: Callable[[int], Head], Cs: tuple[float, ...]
) -> None:
    from sklearn.linear_model import LogisticRegression

    X, y, _ = world(200, 3)
    z = X / np.linalg.norm(X, axis=1, keepdims=True)
    probe = LinearProbe(head(3), Cs=Cs).fit(X, y.astype(str))
    C = max(probe.grid_, key=lambda tried: tried["accuracy"])["C"] if probe.grid_ else 1.0
    expected = LogisticRegression(C=C, max_iter=1000).fit(z, y)
    assert np.allclose(probe.model_.prototypes, expected.coef_, atol=1e-3)
    assert (probe.grid_ == []) == (len(Cs) == 1)
