"""A small simulation: intervals from forty answers, 5 % of them wrong, hold the true worst-group accuracy."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.review.conftest import Sea

from evenhand.evaluation.accuracy import Rate
from evenhand.review import Answer, ReviewRows, group_rates
from evenhand.review.estimate import estimate_on

ACCURACY = np.array([0.6, 0.95, 0.95, 0.7])
"""Of gulls on land and at sea, then jays."""
PERSONS = 6


def simulated(rows: ReviewRows, sea: Sea, person: int) -> tuple[float, Rate]:
    """Return the true accuracy of the worst group, and what one person's answers say of it."""
    rng = np.random.default_rng(person)
    cells = 2 * rows.y + sea.water[rows.numbers]
    right = rng.random(len(rows)) < ACCURACY[cells]
    asked = rng.choice(rows.numbers, 40, replace=False)
    said = sea.water[asked] ^ (rng.random(40) < 0.05)
    answers = {
        int(row): Answer("yes" if yes else "no", "random") for row, yes in zip(asked, said, strict=True)
    }
    found = estimate_on(replace(rows, right=right), answers, seed=person)
    return min(float(right[cells == cell].mean()) for cell in range(4)), found.worst_group


def test_intervals_hold_the_truth_and_say_something(
    rows: ReviewRows, sea: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_rates, "DRAWS", 100)
    found = [simulated(rows, sea, person) for person in range(PERSONS)]
    assert [truth for truth, worst in found if not worst.low <= truth <= worst.high] == []  # type: ignore[operator]
    assert np.mean([worst.high - worst.low for _, worst in found]) < 0.5  # type: ignore[operator]
    # Intervals of half the width would miss some: the test sees it when they shrink.
    assert any(abs(truth - worst.value) > (worst.high - worst.low) / 8 for truth, worst in found)  # type: ignore[operator]
