import numpy as np
import pytest
from scipy.stats.contingency import association

from evenhand.functional.association import association_interval, cramers_v


def test_the_formula_by_loops() -> None:
    counts = np.array([[13.0, 5, 0], [4, 9, 0], [2, 8, 0]])
    n, r, k = counts.sum(), 3, 2  # the third column is empty
    squares = 0.0
    for i in range(3):
        for j in range(2):
            expected = counts[i].sum() * counts[:, j].sum() / n
            squares += (counts[i, j] - expected) ** 2 / expected
    assert np.sqrt(squares / n / 1) == pytest.approx(association(counts[:, :2].astype(int), method="cramer"))
    beyond = max(0, squares / n - (r - 1) * (k - 1) / (n - 1))
    most = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    assert cramers_v(counts) == pytest.approx(np.sqrt(beyond / most))
    stacked = cramers_v(np.stack([counts, counts.T]))
    assert stacked == pytest.approx(float(cramers_v(counts)))


def test_independent_columns_and_constant_ones() -> None:
    generator = np.random.default_rng(0)
    values = [
        association_interval(generator.integers(0, 3, 500), generator.integers(0, 2, 500), 0.95, generator)
        for _ in range(40)
    ]
    assert np.mean([value for value, _, _ in values]) < 0.05
    assert association_interval(np.zeros(9, dtype=int), np.arange(9) % 2, 0.95, generator) == (0, 0, 0)


def test_the_interval_holds_the_value_of_the_population() -> None:
    generator = np.random.default_rng(0)
    inside = 0
    for _ in range(100):
        a = generator.integers(0, 2, 400)
        b = np.where(generator.random(400) < 0.8, a, 1 - a)  # V = 2 · 0.8 − 1
        _, low, high = association_interval(a, b, 0.95, generator, 199)
        inside += low <= 0.6 <= high
    assert inside >= 88
