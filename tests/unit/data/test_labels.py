"""Labels become codes and names, and one sentence for every way they can be wrong."""

import numpy as np
import pytest

from evenhand._errors import EvenhandError
from evenhand.data.labels import (
    class_codes,
    class_notes,
    renamed,
    some,
    spelling_note,
)


def test_codes_are_positions_among_the_sorted_names():
    labels = np.array(["b", "a", "b", "C"])
    names, y = class_codes(labels)
    assert names == ["C", "a", "b"]
    assert y.dtype == np.int64
    assert [names[code] for code in y] == labels.tolist()


def test_whole_numbers_are_sorted_by_value():
    assert class_codes(np.array(["10", "9", "-1", "9"]))[0] == ["-1", "9", "10"]
    assert class_codes(np.array(["10", "9", "x", "9"]))[0] == ["10", "9", "x"]


def test_one_class():
    with pytest.raises(EvenhandError, match="there is only one class, 'a'; give images of at least two"):
        class_codes(np.array(["a", "a"]))


def test_one_image_per_class():
    with pytest.raises(EvenhandError, match="every class has a single image; give at least two images"):
        class_codes(np.array(["a", "b"]))


def test_names_that_are_not_given_stay():
    assert renamed(["0", "1"], {"1": " water bird "}) == ("0", "water bird")
    assert renamed(["a", "b"], {}) == ("a", "b")


@pytest.mark.parametrize("given", [("True", "False"), ("true", "false"), ("1", "0"), ("1.0", "0.0")])
def test_names_are_given_for_labels_in_any_spelling(given):
    assert renamed(["False", "True"], {given[0]: "cat", given[1]: "dog"}) == ("dog", "cat")
    with pytest.raises(EvenhandError, match="class_names: 'CAT' is not a label; the labels are Cat, cat"):
        renamed(["Cat", "cat"], {"CAT": "x"})


@pytest.mark.parametrize(
    ("class_names", "sentence"),
    [
        ({"a": "x", "A": "y"}, "class_names: each class needs a different name"),
        ({"c": "x"}, "class_names: 'c' is not a label; the labels are a, b"),
        ({"a": "b"}, "class_names: each class needs a different name, but the names are b, b"),
        ({"a": " "}, "class_names: each class needs a different name"),
    ],
)
def test_names_that_cannot_be(class_names, sentence):
    with pytest.raises(EvenhandError, match=sentence):
        renamed(["a", "b"], class_names)


def test_long_lists_are_cut():
    assert some("ab", most=2) == "a, b"
    assert some("abc", most=2) == "a, b and 1 more"


@pytest.mark.parametrize(
    "pair",
    [
        ("Cat", "cat"),
        ("water bird", "water_bird"),
        ("1", "01"),
        ("1", "1.0"),
        ("1", "+1"),
        ("é", "e\u0301"),
        ("1", "True"),
        ("False", "0"),
        ("cat", "c\u0430t"),
    ],
)
def test_two_spellings_of_one_name(pair):
    assert spelling_note([*pair, "dog"], "classes") == (
        f"the classes {pair[0]!r} and {pair[1]!r} differ only in spelling; "
        "write them the same way if they are one"
    )


@pytest.mark.parametrize(
    "names",
    [["cat", "dog"], ["-1", "1"], ["1", "10"], ["+", "-"], ["c++", "c"], ["кот", "пёс"], ["true", "false"]],
)
def test_names_of_their_own(names):
    assert spelling_note(names, "classes") is None


def test_a_class_that_may_be_a_missing_label():
    for name in ("None", "\\N", "#REF!"):
        assert class_notes(["cat", name]) == [
            f"the class {name} may stand for a missing label; drop its rows if so"
        ]


@pytest.mark.parametrize("names", [["['cat']", "dog"], ["cat|dog", "cat", "dog"], ["a, b", "b", "a"]])
def test_a_class_that_may_be_several(names):
    assert class_notes(names) == [
        f"the class {names[0]} looks like a list of labels, and counts as a separate class; "
        "give each image one label"
    ]


def test_names_with_marks_are_no_lists():
    assert class_notes(["salt, pepper", "salt", "Mass|Nodule", "[x]"]) == []
