import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from evenhand.functional import row_products, weighted_head
from evenhand.functional.row_products import HostProducts
from evenhand.functional.weighted_head import HeadFrame, calibrated_scale, fit_heads, head_as_projection


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.fixture
def rows():
    generator = np.random.default_rng(0)
    y = generator.integers(3, size=120)
    text = unit(generator.normal(size=(3, 8)) + 2)
    z = unit(text[y] + 0.4 * generator.normal(size=(120, 8)) + 1).astype(np.float32)
    return z, y, text, generator.random(120)


def slow_objective(g, z, y, weights, frame, alpha, penalty):
    """Return the objective row by row, from its equation."""
    common = frame.common[:, None]
    stretch = frame.scale * (np.eye(8) - common @ common.T) + frame.common_scale * common @ common.T
    added = stretch @ g @ frame.classes.T
    total = 0.0
    for i in range(len(y)):
        logits = alpha * frame.centered @ z[i] + z[i] @ added
        total += weights[i] * (np.log(np.exp(logits).sum()) - logits[y[i]])
    return total / weights.sum() + penalty / 2 * (g**2).sum()


def test_the_objective_equals_a_loop_and_its_gradient_is_right(rows):
    z, y, text, weights = rows
    z = z.astype(np.float64)
    frame = HeadFrame.of(z, text)
    g = np.random.default_rng(1).normal(size=(8, 2))
    args = (HostProducts(z, y, weights / weights.sum()), frame, 2.0, 0.1, np.eye(8))
    value, _ = weighted_head._objective(g.ravel(), *args)
    assert value == pytest.approx(slow_objective(g, z, y, weights, frame, 2.0, 0.1))
    error = check_grad(
        lambda x: weighted_head._objective(x, *args)[0],
        lambda x: weighted_head._objective(x, *args)[1],
        g.ravel(),
    )
    assert error < 1e-5


def test_it_ends_at_the_minimum(rows):
    z, y, text, weights = rows
    frame = HeadFrame.of(z, text)
    for penalty, g in zip((1.0, 0.01), fit_heads(z, y, weights, frame, 2.0, (1.0, 0.01)), strict=True):
        best = slow_objective(g, z, y, weights, frame, 2.0, penalty)
        for seed in range(20):
            step = 0.02 * np.random.default_rng(seed).normal(size=g.shape)
            assert slow_objective(g + step, z, y, weights, frame, 2.0, penalty) > best - 1e-6


def test_it_is_a_logistic_regression_from_nothing():
    generator = np.random.default_rng(0)
    y = generator.integers(2, size=300)
    z = unit(generator.normal(size=(300, 5)) + 0.7 * y[:, None])
    z = np.concatenate([z, -z]).astype(np.float32)
    y = np.concatenate([y, 1 - y])
    frame = HeadFrame.of(z, np.eye(2, 5))
    (g,) = fit_heads(z, y, np.ones(600), frame, 0.0, [0.1])
    other = LogisticRegression(C=2 / (0.1 * 600), fit_intercept=False, tol=1e-8).fit(frame.scale * z, y)
    difference = frame.head(0.0, g) @ [-1, 1]
    np.testing.assert_allclose(difference, frame.scale * other.coef_[0], rtol=2e-3, atol=2e-3)


def test_equal_rows_have_a_finite_scale():
    """Of equal rows rounding leaves a spread of either sign."""
    for seed in range(20):
        row = unit(np.random.default_rng(seed).normal(size=(1, 48))).astype(np.float32)
        frame = HeadFrame.of(np.repeat(row, 600, axis=0), np.eye(2, 48))
        assert 0 < frame.scale <= 1 / np.sqrt(weighted_head.LEAST)


def test_the_projection_orders_the_classes_as_the_head_does(rows):
    z, y, text, weights = rows
    frame = HeadFrame.of(z, text)
    (g,) = fit_heads(z, y, weights, frame, 2.0, [0.01])
    head = z @ frame.head(2.0, g)
    projected = unit(z @ frame.projection(2.0, g)) @ text.T
    np.testing.assert_array_equal(head.argmax(axis=1), projected.argmax(axis=1))
    lengths = np.linalg.norm(z @ frame.projection(2.0, g), axis=1, keepdims=True)
    centered = projected - projected.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(centered * lengths, head, atol=1e-4)


def test_more_classes_than_directions_still_project():
    generator = np.random.default_rng(0)
    text = unit(generator.normal(size=(12, 4)))
    y = np.arange(60) % 12
    z = unit(text[y] + 0.3 * generator.normal(size=(60, 4))).astype(np.float32)
    frame = HeadFrame.of(z, text)
    (g,) = fit_heads(z, y, np.ones(60), frame, 5.0, [0.1])
    projected = unit(z @ frame.projection(5.0, g)) @ text.T
    head = z @ frame.head(5.0, g) + (z @ frame.projection(5.0, g)) @ text.mean(axis=0)[:, None]
    assert (head.argmax(axis=1) == projected.argmax(axis=1)).mean() == 1


def test_a_strong_penalty_leaves_zero_shot(rows):
    z, y, text, weights = rows
    frame = HeadFrame.of(z, text)
    (g,) = fit_heads(z, y, weights, frame, 2.0, [1e6])
    np.testing.assert_allclose(frame.head(2.0, g), 2.0 * frame.centered.T, atol=1e-3)


def test_the_scale_minimises_the_cross_entropy(rows):
    z, y, text, weights = rows
    frame = HeadFrame.of(z, text)
    alpha = calibrated_scale(z, y, weights, frame)
    nothing = np.zeros((8, 2))
    values = [slow_objective(nothing, z, y, weights, frame, alpha * f, 0.0) for f in (0.98, 1, 1.02)]
    assert values[1] == min(values)


def test_relabelling_and_row_order_change_nothing_else(rows):
    z, y, text, weights = rows
    frame = HeadFrame.of(z, text)
    (g,) = fit_heads(z, y, weights, frame, 2.0, [0.01], steps=200)
    head = frame.head(2.0, g)
    order, name = np.random.default_rng(1).permutation(120), np.array([2, 0, 1])
    again = HeadFrame.of(z[order], text[np.argsort(name)])
    (h,) = fit_heads(z[order], name[y[order]], weights[order], again, 2.0, [0.01], steps=200)
    np.testing.assert_allclose(again.head(2.0, h)[:, name], head, atol=0.02)


def test_blocks_give_what_one_pass_gives(rows, monkeypatch):
    z, y, text, weights = rows
    whole = fit_heads(z, y, weights, HeadFrame.of(z, text), 2.0, [0.1])
    monkeypatch.setattr(row_products, "BLOCK", 7)
    parts = fit_heads(z, y, weights, HeadFrame.of(z, text), 2.0, [0.1])
    np.testing.assert_allclose(parts[0], whole[0], atol=1e-3)


def test_any_head_is_a_projection(rows):
    z, _, text, _ = rows
    head = np.random.default_rng(2).normal(size=(8, 3))
    projection = head_as_projection(head, text)
    projected = unit(z @ projection) @ text.T
    np.testing.assert_array_equal((z @ head).argmax(axis=1), projected.argmax(axis=1))
    assert np.linalg.matrix_rank(projection) == 8


def test_of_fewer_rows_than_dimensions_the_minimum_lies_in_their_span(monkeypatch):
    generator = np.random.default_rng(0)
    y = np.arange(12) % 3
    z = unit(generator.normal(size=(12, 40)) + 1).astype(np.float32)
    frame = HeadFrame.of(z, unit(generator.normal(size=(3, 40))))
    share = generator.random(12)
    products = HostProducts(z, np.zeros(len(z), dtype=np.int64), share)
    moment = frame.stretched(frame.stretched(products.moment()).T)
    vectors, values = weighted_head._axes(z, share, frame, products)
    assert vectors.shape == (40, 12)
    np.testing.assert_allclose(vectors * values @ vectors.T, moment, atol=1e-4)
    thin = fit_heads(z, y, share, frame, 2.0, [0.1, 0.01])
    every = np.linalg.eigh(moment)[::-1]
    monkeypatch.setattr(weighted_head, "_axes", lambda *_: (every[0], np.maximum(every[1], 0)))
    for one, other in zip(thin, fit_heads(z, y, share, frame, 2.0, [0.1, 0.01]), strict=True):
        np.testing.assert_allclose(z @ one, z @ other, atol=2e-3)
