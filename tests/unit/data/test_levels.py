"""What folder levels mean, where they are guessed and where they are told."""

import pytest

from evenhand._errors import EvenhandError
from evenhand.data.sources.levels import Levels, guess, repeated_below, uneven_below


def places(*folders: str) -> list[tuple[str, ...]]:
    return [tuple(text.split("/")) if text else () for text in folders]


@pytest.mark.parametrize(
    ("folders", "roles"),
    [
        (["a", "b"], "class"),
        (["a/deep", "b", ""], "class"),
        (["train/a", "test/b", ""], "split/class"),
        (["train/a"], "split/class"),
        (["train", "bus"], "class"),
        (["trainset/a", "eval/a"], "split/class"),
        (["cat/train", "cat/test", "dog/train"], "class/split"),
        (["PetImages/Cat", "PetImages/Dog"], "*/class"),
        (["data/train/a", "data/val/a"], "*/split/class"),
        (["train/images/a", "test/images/a"], "split/*/class"),
        (["seg_train/seg_train/sea", "seg_test/seg_test/sea"], "split/*/class"),
        (["train/a", "train/b", "test/b/deep"], "split/class"),
    ],
)
def test_guessed(folders, roles):
    assert str(guess(places(*folders))) == roles


def test_splits_beside_classes_are_not_guessed():
    with pytest.raises(EvenhandError, match=r"split folders test, train are next to other folders \(extra\)"):
        guess(places("train/a", "test/a", "extra"))


def test_the_same_folders_below_every_class_may_be_the_classes():
    pacs = places("photo/cat", "photo/dog", "sketch/cat", "sketch/dog")
    note = repeated_below(pacs, guess(pacs))
    assert note == (
        "the same folders (cat, dog) are below every class (photo, sketch): if they are the classes, give "
        "the layout domain/class; if they are an attribute, class/NAME"
    )


def test_a_level_of_one_name_is_passed_over():
    office = places("amazon/images/bike", "amazon/images/mug", "dslr/images/bike", "dslr/images/mug")
    note = repeated_below(office, guess(office))
    assert note == (
        "the same folders (bike, mug) are below every class (amazon, dslr): if they are the classes, give "
        "the layout domain/*/class; if they are an attribute, class/*/NAME"
    )


def test_a_folder_of_all_classes_beside_one_is_named():
    clone = places("data/cat", "data/dog", "docs")
    assert uneven_below(clone, guess(clone)) == (
        "the folders cat, dog in data are read as one class next to docs; if they are the classes, give the "
        "folder data alone"
    )


@pytest.mark.parametrize(
    "folders", [["a", "b"], ["a/1", "a/2", "b/1"], ["a/1", "b"], ["a", "a/1", "a/2", "b"]]
)
def test_classes_of_one_depth_need_no_remark(folders):
    found = places(*folders)
    assert uneven_below(found, guess(found)) is None


@pytest.mark.parametrize(
    "folders", [["a", "b"], ["a/images", "b/images"], ["a/1", "a/2", "b/3", "b/4"], ["a/x", "a/y", "b"]]
)
def test_other_folders_below_classes_are_no_matter(folders):
    found = places(*folders)
    assert repeated_below(found, guess(found)) is None


def test_told():
    levels = Levels.parse("domain/*/class")
    assert levels.attributes == ("domain",)
    assert levels.of("domain", ("photo", "x", "cat")) == "photo"
    assert levels.of("class", ("photo", "x", "cat")) == "cat"
    assert levels.of("class", ("photo",)) == ""
    assert levels.of("split", ("photo", "x", "cat")) == ""


@pytest.mark.parametrize("text", ["domain", "class/class", "a/a/class", "", "class//x"])
def test_told_wrongly(text):
    with pytest.raises(EvenhandError, match=r"layout: got .*; write a word for each level of folders"):
        Levels.parse(text)
