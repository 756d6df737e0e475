from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.datasets._plan import balanced, correlated, drawn, flipped

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(2, 5), st.floats(0, 1), st.floats(1, 9), st.integers(60, 300))
def test_training_is_correlated_as_stated(
    seed: int, classes: int, correlation: float, imbalance: float, n: int
) -> None:
    y, a = correlated(np.random.default_rng(seed), n, classes, correlation, imbalance)
    sizes = np.bincount(y, minlength=classes)
    assert sizes.sum() == n
    assert (abs(sizes[1:] - sizes[0] / imbalance) <= 2).all()
    for code in range(classes):
        counts = np.bincount(a[y == code], minlength=classes)
        assert counts[code] == round(correlation * sizes[code])
        others = np.delete(counts, code)
        assert others.max() - others.min() <= 1


@given(st.integers(2, 5), st.integers(0, 60))
def test_the_test_split_has_all_groups_alike(classes: int, n: int) -> None:
    counts = Counter(zip(*(part.tolist() for part in balanced(n, classes)), strict=True))
    sizes = [counts[c, k] for c in range(classes) for k in range(classes)]
    assert max(sizes) - min(sizes) <= 1


@given(SEEDS, st.integers(2, 5), st.floats(0, 1))
def test_the_stated_share_of_labels_is_wrong(seed: int, classes: int, share: float) -> None:
    y = np.arange(100) % classes
    found = flipped(np.random.default_rng(seed), y, classes, share)
    assert (found != y).sum() == round(100 * share)
    assert set(found) <= set(range(classes))


def test_a_picture_comes_again_only_when_all_have_come() -> None:
    pool = np.array([0, 1, 0, 1, 1, 0])
    wanted = np.array([1] * 7 + [0] * 3)
    found = drawn(np.random.default_rng(0), pool, wanted)
    assert (pool[found] == wanted).all()
    assert sorted(Counter(found[wanted == 1].tolist()).values()) == [2, 2, 3]
    assert len(set(found[wanted == 0].tolist())) == 3


@pytest.mark.parametrize("n", [1, 5])
def test_odd_numbers_are_dealt_out(n: int) -> None:
    y, _ = correlated(np.random.default_rng(0), n, 2, 1.0)
    assert len(y) == n
