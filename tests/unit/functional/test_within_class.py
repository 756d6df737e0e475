import numpy as np
import pytest

from evenhand.functional.within_class import leads, left_skewness, mean_margins, residuals, standardized


@pytest.fixture
def rows():
    generator = np.random.default_rng(0)
    y = generator.integers(3, size=90)
    return generator.normal(size=90), generator.normal(size=90) + 0.5 * y, y


def test_mean_margins_equal_a_loop():
    generator = np.random.default_rng(1)
    logits, y = generator.normal(size=(20, 4)).astype(np.float32), generator.integers(4, size=20)
    slow = [
        float(logits[i, y[i]]) - np.mean([float(logits[i, c]) for c in range(4) if c != y[i]])
        for i in range(20)
    ]
    np.testing.assert_allclose(mean_margins(logits, y), slow, atol=1e-6)


def test_leads_equal_a_loop():
    logits = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32)
    slow = [sorted(row)[-1] - sorted(row)[-2] for row in logits.astype(float).tolist()]
    np.testing.assert_allclose(leads(logits), slow, atol=1e-6)


def test_standardised_has_mean_0_and_variance_1_in_every_class(rows):
    x, _, y = rows
    out = standardized(x, y)
    for code in range(3):
        assert out[y == code].mean() == pytest.approx(0, abs=1e-12)
        assert out[y == code].var() == pytest.approx(1)


def test_a_constant_class_becomes_0():
    out = standardized(np.array([0.1, 0.1, 0.1, 1.0, 2.0]), np.array([0, 0, 0, 1, 1]))
    assert out.tolist() == [0, 0, 0, -1, 1]


def test_residuals_equal_a_loop(rows):
    s, z, y = rows
    s = s + z
    trusted = np.arange(90) % 4 > 0
    a, b = standardized(s, y), standardized(z, y)
    slope = sum(a[i] * b[i] for i in range(90) if trusted[i]) / sum(
        b[i] ** 2 for i in range(90) if trusted[i]
    )
    assert slope > 0.1
    np.testing.assert_allclose(residuals(s, z, y, trusted), standardized(a - slope * b, y))
    np.testing.assert_allclose(residuals(s, z, y, trusted, 0.5), standardized(a - 0.5 * slope * b, y))


def test_residuals_take_nothing_away_where_the_slope_is_negative(rows):
    s, z, y = rows
    np.testing.assert_allclose(residuals(-z, z, y, y >= 0), standardized(-z, y))
    assert np.isfinite(residuals(s, np.ones(90), y, y >= 0)).all()
    assert np.isfinite(residuals(s, z, y, y < 0)).all()


def test_left_skewness_equals_a_loop(rows):
    x, _, y = rows
    slow = []
    for code in range(3):
        mine = [x[i] for i in range(90) if y[i] == code]
        mean = sum(mine) / len(mine)
        second = sum((v - mean) ** 2 for v in mine) / len(mine)
        slow.append(sum((v - mean) ** 3 for v in mine) / len(mine) / second**1.5)
    assert left_skewness(x, y) == pytest.approx(-np.mean(slow))


def test_left_skewness_of_few_or_equal_rows_is_0():
    assert left_skewness(np.array([1.0, 2.0]), np.array([0, 1])) == 0
    assert left_skewness(np.ones(6), np.array([0, 0, 0, 1, 1, 1])) == 0


def test_a_minority_far_below_skews_to_the_left():
    x = np.concatenate([np.random.default_rng(0).normal(size=900), np.full(100, -4.0)])
    assert left_skewness(x, np.zeros(1000, dtype=int)) > 0.5
    assert left_skewness(-x, np.zeros(1000, dtype=int)) < -0.5
