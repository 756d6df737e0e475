import numpy as np
import pytest

from evenhand.functional.cell_rates import (
    balancing_weights,
    class_cells,
    draw_worst_rates,
    rate_moments,
    soft_cells,
)


@pytest.fixture
def rows():
    generator = np.random.default_rng(0)
    return generator.random(60), generator.random(60), generator.integers(3, size=60)


def test_soft_cells_hold_every_row_twice(rows):
    low, trust, y = rows
    total = np.zeros(60)
    for place, (members, weights) in enumerate(soft_cells(low, trust, y)):
        assert (y[members] == place // 2).all()
        total[members] += weights
    np.testing.assert_allclose(total, trust)
    for code, (members, weights) in enumerate(class_cells(trust, y)):
        assert (y[members] == code).all()
        np.testing.assert_array_equal(weights, trust[members])


def test_balancing_weights_equal_a_loop(rows):
    low, trust, y = rows
    for i in range(60):
        mine = [j for j in range(60) if y[j] == y[i]]
        of_low, of_rest = sum(trust[j] * low[j] for j in mine), sum(trust[j] * (1 - low[j]) for j in mine)
        slow = trust[i] * low[i] / of_low + trust[i] * (1 - low[i]) / of_rest
        assert balancing_weights(low, trust, y)[i] == pytest.approx(slow)


def test_a_cell_that_hardly_exists_weighs_little():
    weights = balancing_weights(np.array([0.01, 0.0, 0.0]), np.ones(3), np.zeros(3, dtype=int))
    assert weights.sum() == pytest.approx(1.01)


def test_moments_equal_loops_and_the_bayesian_bootstrap(rows):
    _, weights, _ = rows
    generator = np.random.default_rng(1)
    right = (generator.random((2, 60)) < [[0.7], [0.4]]).astype(float)
    rates, root = rate_moments(right, weights)
    everything = np.concatenate([right, [[1, 0], [1, 0]]], axis=1)
    shares = generator.dirichlet(np.concatenate([weights, [1, 1]]), size=40_000)
    drawn = shares @ everything.T
    np.testing.assert_allclose(rates, drawn.mean(axis=0), atol=2e-3)
    np.testing.assert_allclose(root @ root, np.cov(drawn.T), atol=1e-4)
    slow = (sum(weights[i] * right[0, i] for i in range(60)) + 1) / (sum(weights) + 2)
    assert rates[0] == pytest.approx(slow)


def test_the_worst_rate_is_the_smallest_over_cells(rows):
    _, _, y = rows
    right = np.ones((2, 60))
    right[1, y == 2] = 0
    drawn = draw_worst_rates(right, class_cells(np.ones(60), y), 500, np.random.default_rng(0))
    assert drawn.shape == (500, 2)
    assert drawn[:, 0].mean() > 0.8
    assert drawn[:, 1].mean() < 0.2
    assert ((drawn >= 0) & (drawn <= 1)).all()


def test_an_empty_cell_knows_nothing():
    rates, _ = rate_moments(np.ones((1, 3)), np.zeros(3))
    assert rates.tolist() == [0.5]


def test_the_order_of_the_rows_does_not_matter(rows):
    low, trust, y = rows
    right = (np.random.default_rng(2).random((3, 60)) < 0.6).astype(float)
    order = np.random.default_rng(3).permutation(60)
    drawn = [
        draw_worst_rates(right[:, o], soft_cells(low[o], trust[o], y[o]), 50, np.random.default_rng(0))
        for o in (np.arange(60), order)
    ]
    np.testing.assert_allclose(*drawn, atol=1e-9)
