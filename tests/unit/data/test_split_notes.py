"""Classes that a split lacks, and what a column of patients may hide, such as one under two names."""

import numpy as np
import pytest

from evenhand import EvenhandError
from evenhand.data.split_notes import check_splits, unit_notes


def test_every_class_needs_a_training_row() -> None:
    y = np.array([0, 1, 1])
    check_splits(["a", "b"], y, np.array(["train", "test", "train"]))
    with pytest.raises(EvenhandError, match="no training image has the class a; add some or drop the class"):
        check_splits(["a", "b"], y, np.array(["test", "train", "train"]))
    with pytest.raises(EvenhandError, match="there are no training images, only test; add a train split"):
        check_splits(["a", "b"], y, np.full(3, "test"))


def test_classes_without_test_rows_are_told_where_others_have_some() -> None:
    y = np.array([0, 0, 1, 1])
    assert check_splits(["a", "b"], y, np.array(["train", "train", "train", "test"])) == [
        "no test image has the class a: its accuracy stays unknown"
    ]
    assert check_splits(["a", "b"], y, np.array(["train", "test", "train", "test"])) == []
    assert check_splits(["a", "b"], y, np.array(["train", "train", "train", "validation"])) == []


def told(*units: str) -> list[str]:
    return unit_notes(np.array(units), np.full(len(units), "train"), "patient", drawn=False)


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
    split = np.array(["train"])
    assert unit_notes(None, split, "patient", drawn=True) == []
    assert unit_notes(np.array(["a"]), split, None, drawn=True) == []


def test_units_that_given_splits_divide_are_named() -> None:
    units, divided = np.array(["ann", "bob", "ann"]), np.array(["train", "test", "test"])
    assert unit_notes(units, divided, "patient", drawn=False) == [
        "1 of 2 values of 'patient' is in more than one of the given splits, for example 'ann' in test, train"
    ]
    assert unit_notes(units, divided[[0, 1, 0]], "patient", drawn=False) == []


def test_units_that_are_drawn_are_counted() -> None:
    units, split = np.array(["ann", "ann", "bob", "bob", ""]), np.full(5, "train")
    assert unit_notes(units, split, "patient", drawn=True) == [
        "the images of each of the 2 values of 'patient' are kept in one split; "
        "1 image has none, and is drawn one by one"
    ]
