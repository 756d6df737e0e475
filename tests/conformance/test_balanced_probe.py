"""The balanced probe: inverse frequencies, not frequencies, and a choice that counts classes alike."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize

from evenhand import LinearProbe
from evenhand._typing import Floats, Ints
from evenhand.methods._training.logistic import logistic


@pytest.mark.parametrize("classes", [2, 3])
def test_it_minimises_the_cross_entropy_weighted_by_inverse_frequency(
    world: Callable[..., tuple[Floats, Ints, Ints]], classes: int
) -> None:
    X, y, _ = world(120, classes, share=0.8)
    X = X.astype(np.float64)
    counts = [int((y == c).sum()) for c in range(classes)]
    C = 0.5

    def objective(flat: Floats) -> float:
        theta = flat.reshape(classes, -1)
        total = 0.0
        for row, code in zip(X, y, strict=True):
            logits = theta[:, :-1] @ row + theta[:, -1]
            total += len(y) / (classes * counts[code]) * (np.log(np.exp(logits).sum()) - logits[code])
        penalty = np.square(theta[:, :-1]).sum() / 2
        if classes == 2:
            penalty = np.square(theta[1, :-1] - theta[0, :-1]).sum() / 2
        return float(C * total + penalty)

    found = minimize(objective, np.zeros(classes * (X.shape[1] + 1)), method="BFGS", options={"gtol": 1e-4})
    theta = found.x.reshape(classes, -1)
    v, d = logistic(X, y, C, "balanced")
    expected, logits = X @ theta[:, :-1].T + theta[:, -1], X @ v.T + d
    # Only differences between logits are determined.
    differences = (expected - expected[:, :1], logits - logits[:, :1])
    assert np.allclose(*differences, atol=5e-3)


def test_repeating_the_rows_of_one_class_only_adds_rows(
    world: Callable[..., tuple[Floats, Ints, Ints]],
) -> None:
    X, y, _ = world(100, 3)
    repeats = np.where(y == 1, 5, 1)
    X_more, y_more = np.repeat(X, repeats, axis=0), np.repeat(y, repeats)
    v, d = logistic(X, y, 1.0 * len(y_more) / len(y), "balanced")
    same_v, same_d = logistic(X_more, y_more, 1.0, "balanced")
    assert np.allclose(v, same_v, atol=1e-3)
    assert np.allclose(d - d[0], same_d - same_d[0], atol=1e-3)


def test_the_penalty_is_chosen_by_the_mean_over_classes(
    world: Callable[..., tuple[Floats, Ints, Ints]],
) -> None:
    X, y, _ = world(300, 3, share=0.8)
    X_val, y_val, _ = world(90, 3, seed=1, share=0.8)
    grid = (1e-3, 1.0, 100.0)
    probe = LinearProbe(class_weight="balanced", Cs=grid).fit(X, y, validation=(X_val, y_val))
    for C, tried in zip(sorted(grid, reverse=True), probe.grid_, strict=True):
        predicted = LinearProbe(class_weight="balanced", Cs=(C,)).fit(X, y).predict(X_val)
        right = [[p == t for p, t in zip(predicted, y_val, strict=True) if t == c] for c in range(3)]
        assert tried["class_mean"] == pytest.approx(np.mean([sum(r) / len(r) for r in right]))
    assert probe.selection == "class_mean"
