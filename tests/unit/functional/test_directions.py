import numpy as np
import pytest

from evenhand.functional.directions import contrast
from evenhand.functional.intervals import paired_interval
from evenhand.functional.shift import attribute_shift, exchanged


def test_scores_by_loops() -> None:
    generator = np.random.default_rng(0)
    z, t, first = generator.normal(size=(30, 4)), generator.normal(size=(7, 4)), np.arange(30) < 11
    d, p = contrast(z, t, first, generator, 99)
    for v in range(7):
        s = np.array([sum(z[i, k] * t[v, k] for k in range(4)) for i in range(30)])
        assert d[v] == pytest.approx((s[:11].mean() - s[11:].mean()) / s.std())
    assert ((p >= 0.01) & (p <= 1)).all()
    assert p[d.argmax()] == p.min()


def test_noise_is_rarely_beyond_chance_and_a_difference_is() -> None:
    generator = np.random.default_rng(0)
    t, first = generator.normal(size=(200, 8)), np.arange(80) < 30
    sure = sum(
        contrast(generator.normal(size=(80, 8)), t, first, generator, 99)[1].min() <= 0.05 for _ in range(60)
    )
    assert sure <= 8, "5 % of 60 are 3; 8 has a chance under 1 %"
    z = generator.normal(size=(80, 8)) + 1.5 * np.outer(first, t[3] / np.linalg.norm(t[3]))
    d, p = contrast(z, t, first, generator, 99)
    assert p[3] == 0.01
    assert d[3] > np.quantile(d, 0.97)


def test_a_direction_along_which_nothing_varies_scores_nothing() -> None:
    z = np.zeros((20, 2))
    z[:, 0] = np.arange(20)
    d, p = contrast(z, np.array([[0.0, 1.0], [0.0, 0.0]]), np.arange(20) < 5, np.random.default_rng(0), 19)
    assert d.tolist() == [0, 0]
    assert p.tolist() == [1, 1]


def test_the_shift_counts_classes_alike_and_ignores_those_with_one_kind() -> None:
    z = np.array([[0.0, 1], [0, 3], [0, 5], [7, 0], [1, 0], [9, 9]])
    y, has = np.array([0, 0, 0, 1, 1, 2]), np.array([True, True, False, True, False, True])
    found = attribute_shift(z, y, has)
    assert found is not None
    assert found.tolist() == [3, -1.5]
    assert attribute_shift(z[:2], y[:2], has[:2]) is None


def test_exchanging_twice_is_nothing_but_for_the_norm() -> None:
    generator = np.random.default_rng(0)
    z, has, shift = generator.normal(size=(9, 4)), np.arange(9) % 2 == 0, generator.normal(size=4)
    moved = exchanged(z, has, shift)
    assert np.allclose(np.linalg.norm(moved, axis=1), 1)
    for i in range(9):
        wanted = z[i] + (-shift if has[i] else shift)
        assert np.allclose(moved[i], wanted / np.linalg.norm(wanted), atol=1e-6)


def test_the_paired_interval() -> None:
    before, after = np.array([0.0, 1, 1, 0, 1]), np.array([1.0, 1, 1, 0, 0])
    low, high = paired_interval(before, after)
    spread = 1.959964 * np.sqrt(0.5 / 5)  # differences 1, 0, 0, 0, −1: variance 2 / 4
    assert (low, high) == (pytest.approx(-spread), pytest.approx(spread))
    assert np.isnan(paired_interval(before[:1], after[:1])).all()
