"""Columns make groups as they are, cut at quartiles, or with a word on why they should not."""

import numpy as np
import pytest

from evenhand.data.attributes import divided, grouping, is_copy

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


def test_ten_images_of_a_value_are_enough():
    def notes(n):
        values = np.array([f"p{k % 20}" for k in range(n)])
        return grouping({"patient": values}, np.array(["cat", "dog", "dog"] * n)[:n], named=True)[1]

    assert [len(notes(n)) for n in (200, 199)] == [0, 1]


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
        "the values of 'place' 'Land' and 'land' differ only in spelling; "
        "write them the same way if they are one"
    ]


def columns() -> dict[str, np.ndarray]:
    rows = range(120)
    return {
        "site": np.array([f"s{k % 3}" for k in rows]),
        "day": np.array([str(np.datetime64("2020-01-01") + np.timedelta64(k, "D")) for k in rows]),
        "exposure": np.array([f"{k / 7:.4f}" for k in rows]),
        "caption": np.array([f"image {k}" for k in rows]),
        "number": np.array([str(k + 7) for k in rows]),
        "every_other": np.array([str(2 * k) for k in rows]),
        "constant": np.full(120, "x"),
        "empty": np.full(120, ""),
        "long": np.array([("x" * 101, "y")[k % 2] for k in rows]),
        "label": LABELS,
        "copy_of": np.array([f"s{k % 3}" for k in rows]),
    }


def test_columns_that_make_no_groups_are_kept_where_they_may_tell():
    groups, others, _ = divided(columns(), LABELS, ["site"])
    assert (list(groups), list(others)) == (["site"], ["day", "exposure", "every_other"])
    groups, others, _ = divided(columns(), LABELS, [])
    assert (list(groups), list(others)) == ([], ["site", "day", "exposure", "every_other"])


def test_where_nobody_names_columns_all_that_may_make_groups_do():
    groups, others, _ = divided(columns(), LABELS, None)
    assert list(groups) == ["site", "copy_of", "long", "label"]
    assert list(others) == ["day", "exposure", "every_other"]


@pytest.mark.parametrize(("words", "kept"), [(12, False), (13, True), (60, True), (61, False)])
def test_many_words_are_kept_where_each_stands_in_two_rows_in_the_mean(words: int, kept: bool) -> None:
    names = np.array([f"p{k % words}" if k < 9 * words else "" for k in range(120)])
    assert list(divided({"photographer": names}, LABELS, [])[1]) == (["photographer"] if kept else [])


def test_values_of_a_hundred_characters_are_kept_and_longer_ones_are_not():
    of = {length: np.array(["x" * length, "y", "y"] * 40) for length in (100, 101)}
    assert [list(divided({"text": of[length]}, LABELS, [])[1]) for length in of] == [["text"], []]


def test_a_column_is_looked_at_throughout(monkeypatch):
    monkeypatch.setattr("evenhand.data.attributes._LOOKED_AT", 40)
    odd = np.where(np.arange(120) % 3 == 1, "a", "b")
    assert list(divided({"odd": odd}, LABELS, [])[1]) == []
    late = np.where(np.arange(120) < 60, "a", "b")
    assert list(divided({"late": late}, LABELS, [])[1]) == ["late"]


@pytest.mark.parametrize(("value", "has"), [("x", "has one value, x,"), ("", "has no value,")])
def test_a_named_column_that_makes_no_groups_is_said(value, has):
    column = np.full(len(LABELS), value)
    kept, (note,) = grouping({"ground": column}, LABELS, named=True)
    assert note == f"attribute 'ground' {has} and makes no groups; name another column"
    assert kept["ground"].tolist() == column.tolist()
    assert grouping({"ground": column}, LABELS, named=False) == ({}, [])
