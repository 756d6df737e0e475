import numpy as np
import pytest
from scipy.stats import norm

from evenhand.functional.two_parts import LEAST, lower_parts, separation


def mixture(n=600, share=0.1, seed=0):
    generator = np.random.default_rng(seed)
    low = generator.random(n) < share
    return np.where(low, -4.0, 0.0) + generator.normal(size=n), low


def lower_part(r):
    return lower_parts(r, np.zeros(len(r), dtype=int))


def slow_em(r, steps):
    low, high = np.quantile(r, [0.1, 0.6])
    variance, share = r.var(), 0.1
    for _ in range(steps):
        part = []
        for x in r:
            a = share * norm.pdf(x, low, np.sqrt(variance))
            b = (1 - share) * norm.pdf(x, high, np.sqrt(variance))
            part.append(a / (a + b))
        size = sum(part)
        share = min(0.5, max(LEAST, size / len(r)))
        low = sum(p * x for p, x in zip(part, r, strict=True)) / size
        high = sum((1 - p) * x for p, x in zip(part, r, strict=True)) / (len(r) - size)
        variance = sum(
            p * (x - low) ** 2 + (1 - p) * (x - high) ** 2 for p, x in zip(part, r, strict=True)
        ) / len(r)
    return np.array(part)


def test_it_equals_a_loop():
    r, _ = mixture(80)
    np.testing.assert_allclose(lower_part(r), slow_em(r, 100), atol=1e-6)


def test_it_finds_the_lower_part():
    r, low = mixture()
    part = lower_part(r)
    assert part[low].mean() > 0.85
    assert part[~low].mean() < 0.02


def test_scale_and_place_do_not_matter():
    r, _ = mixture()
    np.testing.assert_allclose(lower_part(r), lower_part(7 * r + 3), atol=1e-6)


def test_constant_rows_have_no_lower_part():
    assert lower_part(np.ones(5)).tolist() == [0] * 5


def test_two_rows_are_defined():
    assert np.isfinite(lower_part(np.array([0.0, 1.0]))).all()


def test_classes_are_parted_on_their_own():
    r, _ = mixture()
    y = np.arange(600) % 2
    both = lower_parts(r, y)
    np.testing.assert_allclose(both[y == 1], lower_part(r[y == 1]), atol=1e-6)


def test_separation_equals_a_loop():
    r, _ = mixture(60)
    y, low = np.arange(60) % 2, np.random.default_rng(1).random(60)
    slow = []
    for code in range(2):
        mine = [i for i in range(60) if y[i] == code]
        a = sum(low[i] * r[i] for i in mine) / sum(low[i] for i in mine)
        b = sum((1 - low[i]) * r[i] for i in mine) / sum(1 - low[i] for i in mine)
        variance = sum(low[i] * (r[i] - a) ** 2 + (1 - low[i]) * (r[i] - b) ** 2 for i in mine) / len(mine)
        slow.append((b - a) / np.sqrt(variance))
    assert separation(r, low, y) == pytest.approx(np.mean(slow))


def test_the_separation_of_a_mixture_is_its_distance():
    r, _ = mixture(5000)
    assert separation(r, lower_part(r), np.zeros(5000, dtype=int)) == pytest.approx(4, abs=0.3)
    assert separation(np.ones(4), np.zeros(4), np.zeros(4, dtype=int)) == 0
