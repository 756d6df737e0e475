"""Columns make groups as they are, cut at quartiles, or with a word on why they should not."""

import numpy as np
import pytest

from evenhand.data.attributes import grouping, is_copy

LABELS = np.array(["a", "b"] * 60)


def test_measured_numbers_are_cut_at_their_quartiles():
    ages = np.array([f"{20 + k / 2}" for k in range(120)])
    kept, (note,) = grouping({"age": ages}, LABELS, named=True)
    names, counts = np.unique(kept["age"], return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "20 to 34.875": 30,
        "34.875 to 49.75": 30,
        "49.75 to 64.625": 30,
        "64.625 to 79.5": 30,
    }
    assert note.startswith(
        "attribute 'age' has 120 values: it is cut at its quartiles into 20 to 34.875, 34.875"
    )


def test_decimal_commas_and_gaps():
    ages = np.array([f"{k},5" for k in range(100)] + [""] * 20)
    kept, _ = grouping({"age": ages}, LABELS, named=True)
    assert len(set(kept["age"][:100])) == 4
    assert (kept["age"][100:] == "").all()


@pytest.mark.parametrize("values", [[str(k % 12) for k in range(120)], [f"{k % 12}.5" for k in range(120)]])
def test_few_numbers_stay(values):
    kept, notes = grouping({"n": np.array(values)}, LABELS, named=True)
    assert kept["n"].tolist() == values
    assert notes == []


def test_many_words_are_counted():
    _, (note,) = grouping({"patient": np.array([f"p{k % 60}" for k in range(120)])}, LABELS, named=True)
    assert note.startswith("attribute 'patient' has 60 values, 2.0 images each on average")


def test_whole_numbers_of_few_images_each_stay_and_are_said():
    values = np.array([str(k % 50) for k in range(120)])
    kept, (note,) = grouping({"code": values}, LABELS, named=True)
    assert kept["code"].tolist() == values.tolist()
    assert note.startswith("attribute 'code' has 50 values, 2.4 images each on average")


def test_a_copy_of_the_label_comes_last_and_is_said():
    place = np.array((["x"] * 3 + ["y"]) * 30)
    kept, notes = grouping({"target": np.where(LABELS == "a", "0", "1"), "place": place}, LABELS, named=False)
    assert list(kept) == ["place", "target"]
    assert notes == ["attribute 'target' is a copy of the label: each of its groups is a class"]


def test_what_is_a_copy():
    assert is_copy(np.char.add(LABELS, "!"), LABELS)
    assert not is_copy(np.full(120, "x"), LABELS)
    assert not is_copy(np.array(["x", "y", "x", "z"] * 30), LABELS)


def test_values_that_may_stand_for_unknown_are_named():
    values = np.array(["A", "N/A", "B", "-"] * 5)
    kept, notes = grouping({"site": values}, np.array(["x", "y"] * 10), named=False)
    assert kept["site"] is values
    assert notes == [
        "the value -, N/A of 'site' makes a group of its own; if it stands for unknown, leave it empty"
    ]


def test_values_that_differ_in_spelling_are_named():
    place = np.array(["Land", "land", "water"] * 40)
    assert grouping({"place": place}, LABELS, named=True)[1] == [
        "the values of 'place' 'Land' and 'land' differ in spelling alone; write them alike if they are one"
    ]
