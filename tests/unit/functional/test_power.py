from math import comb

import numpy as np
import pytest
from scipy.stats import hypergeom

from evenhand import EvenhandError
from evenhand.functional.power import LEVEL, POWER, detectable_gap, rows_for_gap


def at_least(k: int, n: int, p: float) -> float:
    """Return P(Bin(n, p) ≥ k), term by term."""
    return sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))


def slow_gap(n: int, error: float, others: float, level: float, power: float) -> float:
    """Raise the error rate in small steps until the test finds it often enough."""
    m = int(n * others / (n + others)) if np.isfinite(others) else n
    k = next((k for k in range(m + 1) if at_least(k, m, error) <= level), None)
    if k is None:
        return float("nan")
    return next(q for q in np.arange(error, 1.0001, 1e-4) if at_least(k, m, q) >= power) - error


@pytest.mark.parametrize(
    ("n", "error", "others", "level", "power"),
    [
        (30, 0.1, np.inf, 0.05, 0.8),
        (60, 0.0, 60, 0.05, 0.8),
        (45, 0.3, 200, 0.0125, 0.8),
        (20, 0.05, 20, 0.05, 0.5),
        (3, 0.6, 50, 0.05, 0.8),
    ],
)
def test_the_gap_by_its_steps(n: int, error: float, others: float, level: float, power: float) -> None:
    found = float(detectable_gap(n, error, others, level, power))
    assert found == pytest.approx(slow_gap(n, error, others, level, power), abs=2e-4, nan_ok=True)


@pytest.mark.parametrize(("n", "others", "error"), [(60, 60, 0.08), (120, 600, 0.05), (750, 700, 0.1)])
def test_fishers_test_finds_it_about_as_often_as_said(n: int, others: int, error: float) -> None:
    draw = np.random.default_rng(0)
    gap = float(detectable_gap(n, error, others))
    mine, rest = draw.binomial(n, error + gap, 4000), draw.binomial(others, error, 4000)
    found = (hypergeom.sf(mine - 1, n + others, mine + rest, n) <= LEVEL).mean()
    assert POWER - 0.1 < found < POWER + 0.1


@pytest.mark.parametrize(("gap", "error"), [(0.1, 0.1), (0.2, 0.02), (0.3, 0.5), (0.05, 0.0)])
def test_the_rows_are_the_first_that_show_the_gap(gap: float, error: float) -> None:
    n = rows_for_gap(gap, error)
    assert detectable_gap(n, error, n) <= gap
    assert not any(detectable_gap(k, error, k) <= gap for k in range(1, n))


def test_a_stricter_level_and_a_surer_test_need_more_rows() -> None:
    usual = rows_for_gap(0.1, 0.1)
    assert rows_for_gap(0.1, 0.1, level=LEVEL / 4) > usual
    assert rows_for_gap(0.1, 0.1, power=0.95) > usual


@pytest.mark.parametrize("gap", [0.0, -0.1, 0.9, 1.0])
def test_a_gap_that_no_rows_show(gap: float) -> None:
    with pytest.raises(
        EvenhandError, match=rf"^gap: no error rate is {gap:g} above .* above 0 and under 0\.9"
    ):
        rows_for_gap(gap, 0.1)


@pytest.mark.parametrize("name", ["error", "level", "power"])
def test_what_is_no_share(name: str) -> None:
    with pytest.raises(EvenhandError, match=rf"^{name}: 1\.5 is not a share; give a number from 0 to 1"):
        detectable_gap(10, **{"error": 0.1, name: 1.5})
