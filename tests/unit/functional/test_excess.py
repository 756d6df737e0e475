import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from evenhand.functional.excess import excess_errors, holm


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12), st.integers(1, 12))
def test_the_exact_test_is_fishers(errors: int, right: int, other_errors: int, other_right: int) -> None:
    found = excess_errors(
        errors, errors + right, errors + other_errors, errors + right + other_errors + other_right
    )
    table = [[errors, right], [other_errors, other_right]]
    assert found == pytest.approx(fisher_exact(table, alternative="greater")[1])


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_by_its_steps(values: list[float]) -> None:
    found = holm(np.array(values))
    order = sorted(range(len(values)), key=lambda k: values[k])
    reached = 0.0
    for place, k in enumerate(order):
        reached = max(reached, min(1.0, (len(values) - place) * values[k]))
        assert found[k] == pytest.approx(reached)


def test_holm_of_known_values() -> None:
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])
