"""AFR: normalised, class-balanced weights of held-out rows, and a last layer tied to ERM's."""

from collections.abc import Callable
from math import exp, sqrt

import numpy as np
import pytest

from evenhand import EvenhandError, Head
from evenhand._typing import Floats, Ints
from evenhand.data.splits import hold_out
from evenhand.methods._training.last_layer import LastLayer
from evenhand.methods._training.loop import SGD
from evenhand.methods.afr import AFR, afr_weights, reweighted

STEP = SGD(learning_rate=3e-2, epochs=2, batch_size=16)


def loop_weights(p: Floats, y: Ints, gamma: float) -> list[float]:
    counts = {c: sum(1 for code in y if code == c) for c in set(y.tolist())}
    raw = [exp(-gamma * p_i) / counts[code] for p_i, code in zip(p.tolist(), y.tolist(), strict=True)]
    return [w / sum(raw) for w in raw]


def slope(u: Floats, y: Ints, weights: Floats, layer: LastLayer, start: LastLayer, l2: float) -> Floats:
    """Return the gradient of the objective, [C, D + 1], summed row by row."""
    total = np.zeros((len(layer.bias), u.shape[1] + 1))
    for row, code, weight in zip(u, y, weights, strict=True):
        logits = layer.weight @ row + layer.bias
        p = np.exp(logits - logits.max())
        p /= p.sum()
        p[code] -= 1
        total += weight * np.outer(p, np.append(row, 1.0))
    total[:, :-1] += 2 * l2 * (layer.weight - start.weight)
    total[:, -1] += 2 * l2 * (layer.bias - start.bias)
    return total


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("gamma", [0.0, 1.8, 20.0])
def test_weights_are_normalised_and_balanced_by_class(classes: int, gamma: float) -> None:
    generator = np.random.default_rng(0)
    y = np.where(generator.random(50) < 0.7, 0, generator.integers(1, classes, 50))
    p = generator.random(50)
    weights = afr_weights(p, y, gamma)
    assert weights == pytest.approx(loop_weights(p, y, gamma))
    assert weights.sum() == pytest.approx(1)


def test_without_gamma_every_class_weighs_the_same() -> None:
    y = np.repeat([0, 1, 2], [30, 5, 1])
    weights = afr_weights(np.random.default_rng(0).random(36), y, 0.0)
    assert [weights[y == c].sum() for c in range(3)] == pytest.approx([1 / 3] * 3)


def test_repeating_the_rows_of_one_class_leaves_its_share() -> None:
    generator = np.random.default_rng(0)
    y, p = np.arange(20) % 2, generator.random(20)
    repeats = np.where(y == 1, 6, 1)
    once = afr_weights(p, y, 5.0)
    many = afr_weights(np.repeat(p, repeats), np.repeat(y, repeats), 5.0)
    assert many[np.repeat(y, repeats) == 1].sum() == pytest.approx(once[y == 1].sum())


def test_rows_that_are_predicted_well_weigh_less() -> None:
    weights = afr_weights(np.array([0.9, 0.1, 0.5, 0.5]), np.array([0, 0, 1, 1]), 4.0)
    assert weights[1] / weights[0] == pytest.approx(exp(4.0 * 0.8))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("l2", [0.02, 0.5])
def test_the_last_layer_is_the_minimum_of_the_penalised_loss(classes: int, l2: float) -> None:
    generator = np.random.default_rng(1)
    u, y = generator.normal(size=(40, 5)), generator.integers(0, classes, 40)
    weights = generator.random(40)
    weights /= weights.sum()
    start = LastLayer(3 * generator.normal(size=(classes, 5)), generator.normal(size=classes))
    layer = reweighted(u, y, weights, start, l2)
    assert np.abs(slope(u, y, weights, layer, start, l2)).max() < 1e-5
    assert np.abs(slope(u, y, weights, start, start, l2)).max() > 0.1


def test_a_large_penalty_keeps_the_layer_of_erm() -> None:
    generator = np.random.default_rng(1)
    start = LastLayer(generator.normal(size=(3, 5)), generator.normal(size=3))
    y = generator.integers(0, 3, 40)
    layer = reweighted(generator.normal(size=(40, 5)), y, np.full(40, 1 / 40), start, 1e6)
    assert np.allclose(layer.weight, start.weight, atol=1e-5)
    assert np.allclose(layer.bias, start.bias, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_erm_trains_on_four_fifths_and_the_layer_on_the_rest(
    world: Callable[..., tuple[Floats, Ints, Ints]],
    head: Callable[[int], Head],
    slow_erm: Callable[..., tuple[Floats, float]],
    classes: int,
) -> None:
    X, y, _ = world(90, classes)
    # Coordinates are taken from all rows, so that the oracle's four fifths need rows of one length.
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    method = AFR(head(classes), gamma=4.0, l2=0.1, erm=STEP)
    method.fit(X, y.astype(str), validation=(X, y.astype(str)))

    kept, held = hold_out(y, seed=0)
    assert len(held) == sum(int((y == c).sum()) // 5 for c in range(classes))
    projection, scale = slow_erm(X[kept], y[kept], classes, STEP)
    z = X[held].astype(np.float64) @ projection
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    logits = scale * z[:, :classes]
    p = np.array([exp(row[c]) / np.exp(row).sum() for row, c in zip(logits, y[held], strict=True)])
    expected = loop_weights(p, y[held], 4.0)
    assert method.weights_ == pytest.approx(expected, rel=1e-3)

    u = sqrt(6) * z
    start = LastLayer(scale * np.eye(classes, 6) / sqrt(6), np.zeros(classes))
    model = method.model_
    layer = LastLayer(model.prototypes.astype(np.float64) / sqrt(6), model.intercept.astype(np.float64))
    assert np.abs(slope(u, y[held], np.array(expected), layer, start, 0.1)).max() < 2e-3
    assert np.allclose(model.projection.tensors()["weight"].numpy(), projection, atol=2e-4)


def test_a_class_too_small_to_spare_a_row_lends_all_of_its_rows(
    world: Callable[..., tuple[Floats, Ints, Ints]],
) -> None:
    X, y, _ = world(60, 2)
    y = np.where(np.arange(60) < 3, 2, y)
    method = AFR(erm=STEP).fit(X, y)
    assert len(method.weights_) == int((y == 0).sum()) // 5 + int((y == 1).sum()) // 5 + 3


@pytest.mark.parametrize("name", ["gamma", "l2"])
def test_negative_settings_are_refused(world: Callable[..., tuple[Floats, Ints, Ints]], name: str) -> None:
    X, y, _ = world(60, 2)
    with pytest.raises(EvenhandError, match=f"{name} must be at least 0, but it is -0.5"):
        AFR(**{name: -0.5}).fit(X, y)
