"""Words of splits as people write them."""

import numpy as np
import pytest

from evenhand._errors import EvenhandError
from evenhand.data.split_names import split_in_name, splits_named, splits_of_values


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["Train", "val", "TEST"], ["train", "validation", "test"]),
        (["trainset", "testset"], ["train", "test"]),
        (["training_set", "test_set"], ["train", "test"]),
        (["train2017", "val2017"], ["train", "validation"]),
        (["trainSet", "devSet"], ["train", "validation"]),
        (["train_images", "test-images"], ["train", "test"]),
        (["seg_train", "seg_test"], ["train", "test"]),
        (["train", "eval"], ["train", "test"]),
        (["train", "eval", "test"], ["train", "validation", "test"]),
        (["train", "valid", "eval"], ["train", "validation", "test"]),
        (["train", "hold_out"], ["train", "test"]),
        (["Training", "PublicTest", "PrivateTest"], ["train", "validation", "test"]),
    ],
)
def test_names_that_mean_splits(names, splits):
    assert splits_named(names) == dict(zip(names, splits, strict=True))


@pytest.mark.parametrize("names", [["cat", "dog"], ["bus", "trainer"], ["seg_train"], ["train_test"]])
def test_names_that_mean_none(names):
    assert splits_named(names) == {}


def test_the_first_word_of_a_file_name_tells():
    assert split_in_name("data/train-00000-of-00002.parquet") == "train"
    assert split_in_name("val2017/0.tar") == "validation"
    assert split_in_name("0.tar") is None


def values(*given: str) -> np.ndarray:
    return np.array(given)


def test_unusual_words_in_a_column_are_said():
    assert splits_of_values(values("trainset", "holdout"), "split") == (
        ["train", "test"],
        ["the splits holdout, trainset are read as test, train"],
    )


@pytest.mark.parametrize(
    ("column", "on", "off"), [("is_train", "train", "test"), ("isTest", "test", "train")]
)
def test_flags_are_read_by_their_columns_name(column, on, off):
    assert splits_of_values(values("1", "0"), column)[0] == [on, off]
    assert splits_of_values(values("True", "False"), column)[0] == [on, off]


def test_flags_of_nothing_are_refused():
    with pytest.raises(EvenhandError, match=r"'split' has only 0 and 1, and it is unclear which of them is"):
        splits_of_values(values("1", "0", "0"), "split")


def test_numbers_as_in_wilds():
    assert splits_of_values(values("0", "2"), "split")[0] == ["train", "test"]
    assert splits_of_values(values("3"), "split")[0] == [None]
