"""Bootstrap over test rows, against slow draws row by row."""

import numpy as np
import pytest

from evenhand.evaluation.over_test_rows import over_rows
from evenhand.functional.bootstrap import draw_rates, group_rates

Y = np.repeat([0, 1], [60, 90])
GROUPS = np.concatenate([np.arange(60) % 2, 2 + np.arange(90) % 3])
GROUPS[GROUPS == 4] = -1


def flags(share: float, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.random((3, 150)) < share + 0.1 * (GROUPS == 1)


def slow(right: np.ndarray, cells: np.ndarray, draws: int) -> np.ndarray:
    """Rates [draws, K, G] by drawing rows with replacement, one at a time."""
    generator = np.random.default_rng(7)
    drawn = []
    for _ in range(draws):
        rates = []
        for cell in np.unique(cells[cells >= 0]):
            rows = np.flatnonzero(cells == cell)
            rates.append(right[:, generator.choice(rows, len(rows))].mean(axis=1))
        drawn.append(np.stack(rates, axis=1))
    return np.stack(drawn)


def test_drawn_rates_have_the_mean_and_the_covariance_of_rows() -> None:
    right = flags(0.7, 0)
    drawn = draw_rates(right, 40_000, np.random.default_rng(0))
    assert drawn.mean(axis=0) == pytest.approx(right.mean(axis=1), abs=0.001)
    assert np.cov(drawn.T) == pytest.approx(np.cov(right, bias=True) / 150, rel=0.1, abs=3e-5)


def test_group_rates_leave_unknown_rows_out() -> None:
    right = flags(0.7, 1)
    point, drawn = group_rates(right, GROUPS, 50, np.random.default_rng(0))
    assert point == pytest.approx(np.stack([right[:, g == GROUPS].mean(axis=1) for g in range(4)], axis=1))
    assert drawn.shape == (50, 3, 4)


def test_intervals_are_those_of_slow_draws() -> None:
    right, erm = flags(0.8, 2), flags(0.6, 3)
    both = np.concatenate([right, erm])
    found = over_rows(right, erm, Y, GROUPS, n_resamples=20_000)
    groups, classes = slow(both, GROUPS, 3000).min(axis=2), slow(both, Y, 3000)
    shares = np.bincount(Y) / len(Y)
    expected = {
        "worst_group": groups[:, :3].mean(axis=1),
        "difference_to_erm": (groups[:, :3] - groups[:, 3:]).mean(axis=1),
        "worst_class": classes.min(axis=2)[:, :3].mean(axis=1),
        "plain": (classes @ shares)[:, :3].mean(axis=1),
    }
    for name, draws in expected.items():
        one = getattr(found, name)
        assert [one.low, one.high] == pytest.approx(list(np.quantile(draws, [0.025, 0.975])), abs=0.012)
    assert found.plain.value == pytest.approx(right.mean())
    worst = [min(row[g == GROUPS].mean() for g in range(4)) for row in right]
    assert found.worst_group is not None
    assert found.worst_group.value == pytest.approx(np.mean(worst))


def test_without_groups_classes_remain() -> None:
    right = flags(0.8, 2)
    for groups in (None, np.full(150, -1)):
        found = over_rows(right, right, Y, groups)
        assert found.worst_group is None
        assert found.difference_to_erm is None
        assert found.worst_class.low < found.worst_class.value < found.worst_class.high
    same = over_rows(right, right, Y, GROUPS)
    assert same.difference_to_erm is not None
    assert (same.difference_to_erm.low, same.difference_to_erm.high) == (0, 0)
