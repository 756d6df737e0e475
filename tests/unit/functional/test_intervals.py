import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, sem, t

from evenhand.functional.bootstrap import worst_group_difference
from evenhand.functional.intervals import percentile_interval, t_interval, weighted_interval, wilson


@given(st.integers(1, 500), st.data())
def test_wilson_agrees_with_scipy(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    oracle = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson(k, n) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_wilson_of_nothing_is_undefined() -> None:
    assert all(math.isnan(bound) for bound in wilson(0, 0))


def test_percentile_interval_of_nothing_is_undefined() -> None:
    assert all(math.isnan(bound) for bound in percentile_interval(np.array([np.nan])))


def test_difference_is_zero_for_one_predictor_and_covers_a_known_one() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat([0, 1, -1], 200)
    right = generator.random(600) < 0.9
    assert worst_group_difference(right, right, groups, 0) == (0.0, 0.0, 0.0)
    other = generator.random(600) < 0.7
    value, low, high = worst_group_difference(right, other, groups, 0)
    assert low < 0.2 < high
    assert low < value < high


def test_difference_without_known_groups_is_undefined() -> None:
    flags = np.ones(3, dtype=bool)
    assert math.isnan(worst_group_difference(flags, flags, np.full(3, -1), 0)[0])


def test_weighted_interval_of_one_rate_is_that_rates() -> None:
    assert weighted_interval(*map(np.array, ([0.8], [0.7], [0.9], [1.0]))) == pytest.approx((0.7, 0.9))


def test_weighted_interval_covers_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    rates, n, weights = np.array([0.95, 0.6, 0.8]), np.array([40, 80, 120]), np.array([0.5, 0.2, 0.3])
    covered = 0
    for _ in range(2000):
        hits = generator.binomial(n, rates)
        bounds = np.array([wilson(int(k), int(m)) for k, m in zip(hits, n, strict=True)])
        low, high = weighted_interval(hits / n, bounds[:, 0], bounds[:, 1], weights)
        covered += low <= weights @ rates <= high
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)


def test_the_difference_of_many_rows_takes_no_memory_and_its_interval_is_the_normal_one() -> None:
    generator = np.random.default_rng(2)
    n = 1_000_000
    right, other = generator.random(n) < 0.9, generator.random(n) < 0.8
    value, low, high = worst_group_difference(right, other, np.zeros(n, dtype=np.int64), 0)
    half = 1.96 * np.sqrt((0.9 * 0.1 + 0.8 * 0.2) / n)
    assert (high - value, value - low) == pytest.approx((half, half), rel=0.15)


def test_the_interval_of_a_mean_is_students() -> None:
    values = [0.2, 0.5, 0.6, 0.9]
    expected = t.interval(0.9, 3, loc=0.55, scale=sem(values))
    assert t_interval(values, 0.9) == pytest.approx(expected)
    assert all(math.isnan(bound) for bound in t_interval([0.5]))


def test_bounds_of_a_rate_never_leave_0_and_1() -> None:
    for n in range(1, 400):
        assert wilson(0, n)[0] >= 0
        assert wilson(n, n)[1] <= 1
