"""The verdict: association, gap and readability."""

import numpy as np
import pytest

from evenhand.evaluation.accuracy import Rate
from evenhand.review.verdict import ClassGap, verdict_of

READ = Rate(name="error", n=10, value=0.1, low=0.0, high=0.4)


def gap(association: float = 0.8, value: float = 0.3, low: float = 0.1, high: float = 0.5) -> ClassGap:
    return ClassGap(label="gull", usual="yes", association=association, value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("gaps", "error", "shortcut", "reason"),
    [
        ([gap()], 0.1, "found", "'gull' goes with yes"),
        ([gap(association=0.1)], 0.1, "found", "30 points \\[10, 50\\]"),
        ([gap(association=0.0999)], 0.1, "no sign", "in no class does the attribute go with the label"),
        ([gap(low=-0.01)], 0.1, "cannot tell", "30 points \\[−1, 50\\]"),
        ([gap(value=0.02, low=-0.05, high=0.09)], 0.1, "no sign", "is under 10 points"),
        ([gap(value=0.02, low=-0.05, high=0.1)], 0.1, "cannot tell", "more answers may tell"),
        ([gap()], 0.35, "cannot tell", "do not show the attribute: 35 %"),
        ([gap()], 0.34, "found", ""),
        ([gap(value=-0.3, low=-0.5, high=-0.1)], 0.1, "no sign", "is under 10 points"),
    ],
)
def test_the_verdict(gaps: list[ClassGap], error: float, shortcut: str, reason: str) -> None:
    found = verdict_of(gaps, READ.model_copy(update={"value": error}))
    assert found.shortcut == shortcut
    assert __import__("re").search(reason, found.reason), found.reason


def test_the_surest_gap_is_named() -> None:
    other = ClassGap(label="jay", usual="no", association=0.8, value=0.4, low=0.2, high=0.6)
    assert "'jay' goes with no" in verdict_of([gap(), other], READ).reason


def test_a_gap_is_usual_minus_unusual_with_an_interval_for_all_classes() -> None:
    drawn = np.stack([np.linspace(0.2, 0.4, 1001), np.full(1001, 0.9)], axis=1)
    found = ClassGap.of("gull", {"gull": 0.1, "jay": 0.7, "owl": 0.5}, np.array([0.3, 0.9]), drawn)
    assert (found.usual, found.association) == ("no", pytest.approx(0.5))
    assert found.value == pytest.approx(-0.6)
    tail = 0.05 / 3 / 2
    assert found.low == pytest.approx(-(0.9 - 0.2 - 0.2 * tail))
    assert found.high == pytest.approx(-(0.9 - 0.4 + 0.2 * tail))


def test_a_class_without_rows_has_no_gap() -> None:
    nothing = np.full((10, 2), np.nan)
    found = ClassGap.of("gull", {"gull": 0.9, "jay": 0.1}, nothing[0], nothing)
    assert (found.value, found.low, found.high) == (None, None, None)
    assert verdict_of([found], READ).shortcut == "no sign"
