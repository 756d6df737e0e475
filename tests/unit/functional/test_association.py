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


@pytest.mark.parametrize(("kinds", "each"), [(1000, 4), (100, 20), (30, 10)])
def test_many_classes_of_few_rows_go_with_nothing(kinds: int, each: int) -> None:
    generator = np.random.default_rng(0)
    y = np.repeat(np.arange(kinds), each)
    lows = [
        association_interval(generator.integers(0, 2, len(y)), y, 0.95, generator, 199)[1] for _ in range(5)
    ]
    assert max(lows) < 0.1


def test_noise_is_taken_off_as_often_as_the_counts_were_drawn() -> None:
    counts = np.array([[30.0, 10, 9], [8, 20, 12]])
    n = counts.sum()
    once = float(cramers_v(counts)) ** 2 * (1 - 1 / (n - 1)) + 2 / (n - 1)
    assert cramers_v(counts, draws=2) ** 2 == pytest.approx((once - 4 / (n - 1)) / (1 - 2 / (n - 1)))
    assert cramers_v(np.eye(2) * 5, draws=2) == pytest.approx(1)
