import numpy as np
import pytest

from evenhand.functional.cell_rates import (
    Prior,
    balancing_weights,
    class_cells,
    draw_worst_rates,
    pooled_prior,
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


def test_a_prior_equals_the_bayesian_bootstrap_with_its_rows(rows):
    _, weights, _ = rows
    generator = np.random.default_rng(1)
    right = (generator.random((2, 60)) < [[0.7], [0.4]]).astype(float)
    before = (generator.random((2, 5)) < 0.5).astype(float)
    prior = Prior(5.0, before.mean(axis=1), before @ before.T / 5)
    rates, root = rate_moments(right, weights, prior=prior)
    shares = generator.dirichlet(np.concatenate([weights, np.ones(5)]), size=40_000)
    drawn = shares @ np.concatenate([right, before], axis=1).T
    np.testing.assert_allclose(rates, drawn.mean(axis=0), atol=2e-3)
    np.testing.assert_allclose(root @ root, np.cov(drawn.T), atol=1e-4)


def test_a_pooled_prior_equals_a_loop(rows):
    low, trust, y = rows
    generator = np.random.default_rng(4)
    right = (generator.random((2, 60)) < np.where(y == 0, 0.4, 0.9)).astype(float)
    cells = list(soft_cells(low, trust, y))[::2]
    found = pooled_prior(right, cells)
    n = sum(weights.sum() for _, weights in cells)
    sigma, tau, means = [], [], []
    for one in right:
        mean = sum(weights[i] * one[row] for rows, weights in cells for i, row in enumerate(rows)) / n
        sigma.append(
            sum(weights[i] * (one[row] - mean) ** 2 for rows, weights in cells for i, row in enumerate(rows))
            / n
        )
        q = sum(
            weights.sum() * (sum(weights * one[rows]) / weights.sum() - mean) ** 2 for rows, weights in cells
        )
        of_sizes = sum(weights.sum() ** 2 for _, weights in cells) / n
        tau.append(max(0, (q - 2 * sigma[-1]) / (n - of_sizes)))
        means.append((n * mean + 1) / (n + 2))
    assert 2 < found.size < n
    assert found.size == pytest.approx(np.mean(sigma) / np.mean(tau) - 1)
    np.testing.assert_allclose(found.rates, means)
    every = np.concatenate([weights * right[:, rows][0] * right[:, rows][1] for rows, weights in cells])
    assert found.products[0, 1] == pytest.approx((every.sum() + 1) / (n + 2))


def test_like_cells_lend_each_other_all_their_rows_and_unlike_ones_none():
    y = np.repeat([0, 1, 2], 10)
    cells = list(class_cells(np.ones(30), y))
    assert pooled_prior(np.tile([1.0, 0.0], 15)[None], cells).size == 30
    assert pooled_prior((y == 0)[None].astype(float), cells).size == 2
    alone = pooled_prior(np.ones((1, 30)), cells[:1])
    assert (alone.size, alone.rates.tolist(), alone.products.tolist()) == (2, [0.5], [[0.5]])


def test_priors_take_turns(rows):
    _, _, y = rows
    cells = [(members[:0], np.ones(0)) for members, _ in class_cells(np.ones(60), y)]
    sure = [Prior(1e9, np.array([rate]), np.array([[rate]])) for rate in (0.3, 0.8)]
    for first, worst in ((0, 0.3), (1, 0.8)):
        drawn = draw_worst_rates(
            np.ones((1, 60)), cells[first : first + 1], 5, np.random.default_rng(0), priors=sure[first:]
        )
        np.testing.assert_allclose(drawn, worst, atol=1e-3)
    both = draw_worst_rates(np.ones((1, 60)), cells[:2], 5, np.random.default_rng(0), priors=sure[::-1])
    np.testing.assert_allclose(both, 0.3, atol=1e-3)
