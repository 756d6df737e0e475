"""What a column of patients may hide: one patient under two names, or a name that is none."""

import numpy as np
import pytest

from evenhand.data.odd_units import odd_units


def told(*units: str) -> list[str]:
    return odd_units(np.array(units), "patient")


@pytest.mark.parametrize("pair", [("007", "7"), ("P1", "p1"), ("p 1", "p1"), ("p01", "p1"), ("é", "e\u0301")])
def test_one_unit_in_two_spellings_is_told(pair: tuple[str, str]) -> None:
    first, second = pair
    assert told(*pair, *pair, "x") == [
        f"the values {first!r} and {second!r} of 'patient' differ only in spelling and count as different; "
        "write them the same way if they are one"
    ]


def test_names_of_their_own() -> None:
    names = ("1-2", "12", "1.02", "1.2", "a10", "a100", "p0")
    assert told(*names, *names, "") == []


def test_a_value_that_may_stand_for_unknown_is_told() -> None:
    assert told("NA", "NA", "b", "b") == [
        "the value NA of 'patient' may stand for unknown, but keeps 2 images together; leave it empty if so"
    ]


def test_a_column_that_keeps_nothing_together_is_told() -> None:
    sentence = (
        "every value of 'patient' is that of one image, so that it keeps none together; name the column"
    )
    assert told("a", "b", "") == [f"{sentence} of what images share"]
    assert told("", "") == told("a", "a", "b") == []


def test_without_units_nothing_is_said() -> None:
    assert odd_units(None, "patient") == odd_units(np.array(["a"]), None) == []
