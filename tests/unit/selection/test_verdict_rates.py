"""Rates of each verdict on drawn margins, bounded."""

from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from tests.made_margins import world

from evenhand.selection.auto_guard import DecisionRule
from evenhand.selection.shortcut_signs import CrossFits, find_signs
from evenhand.selection.shortcut_verdict import verdict

ROWS, CLASSES, NOISE = (100, 1000, 10_000), (2, 5, 20), (0.0, 0.1, 0.2)


@cache
def said(n: int, seed: int, minority: float | None, classes: int, noise: float) -> str:
    return judge(world(n, seed, minority, classes, noise))


def judge(seen: CrossFits) -> str:
    n, signs, rule = len(seen.y), find_signs(seen), DecisionRule(draws=10)
    decision = rule.decide(["zero-shot", "ERM"], np.ones((2, n)), seen.y, signs, zero_shot=0, erm=1, seed=0)
    return verdict(signs, decision, n).shortcut


def rates(minority: float | None, most: int = 10**9, least: int = 0) -> dict[str, float]:
    """Return the share of each verdict over all worlds whose classes have `least` to `most` rows."""
    found = Counter(
        said(n, seed, minority, classes, noise)
        for n, classes, noise in product(ROWS, CLASSES, NOISE)
        if least <= n // classes <= most
        for seed in range(1 if n == 10_000 else 3)
    )
    return {word: count / found.total() for word, count in found.items()}


def test_where_nothing_is_hidden_hardly_any_shortcut_is_found():
    found = rates(0)
    assert found.get("found", 0) <= 0.05
    assert rates(0, least=200).get("no sign", 0) >= 0.8


def test_without_counterexamples_hardly_anything_is_found_and_nothing_reassures():
    found = rates(None)
    assert found.get("found", 0) <= 0.05
    assert found.get("no sign", 0) == 0


def test_a_hidden_minority_is_never_denied_and_found_where_rows_suffice():
    assert rates(0.1).get("no sign", 0) == 0
    assert rates(0.1, least=200).get("found", 0) >= 0.9


@pytest.mark.parametrize("minority", [0, 0.1, None])
def test_few_rows_of_a_class_tell_nothing(minority: float | None):
    assert rates(minority, most=20).get("cannot tell", 0) >= 0.95


def test_an_attribute_that_classes_share_is_never_denied():
    """Four values of it, no counterexamples: the probe tells groups of five classes apart."""
    for n, noise, seed in product((1000, 10_000), NOISE, range(2)):
        seen = world(n, seed, None, 20, noise)
        guess = seen.probe // 5 * 5 + np.random.default_rng(seed).integers(5, size=n)
        assert judge(replace(seen, probe=guess)) == "cannot tell"
