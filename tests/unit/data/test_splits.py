"""Seeded stratified splits."""

import numpy as np
import pytest

from evenhand._errors import EvenhandError
from evenhand.data.splits import split_validation_off_train, stratified_split


def counts(split, y, code):
    return {name: int(((split == name) & (y == code)).sum()) for name in ("train", "validation", "test")}


def test_shares_by_class():
    y = np.repeat([0, 1], [100, 20])
    split = stratified_split(y, seed=0)
    assert counts(split, y, 0) == {"train": 70, "validation": 15, "test": 15}
    assert counts(split, y, 1) == {"train": 14, "validation": 3, "test": 3}


@pytest.mark.parametrize(
    ("n", "expected"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (4, (2, 1, 1)), (7, (5, 1, 1))]
)
def test_small_classes_train_first_then_test(n, expected):
    y = np.zeros(n, dtype=np.int64)
    assert tuple(counts(stratified_split(y, seed=3), y, 0).values()) == expected


def test_seed_decides():
    y = np.repeat([0, 1], 50)
    assert (stratified_split(y, seed=1) == stratified_split(y, seed=1)).all()
    assert (stratified_split(y, seed=1) != stratified_split(y, seed=2)).any()


def test_fractions_must_be_shares():
    for fractions in ({"train": 0.5, "test": 0.4}, {"train": 1.2, "test": -0.2}, {}):
        with pytest.raises(EvenhandError, match="fractions must be positive and sum to 1"):
            stratified_split(np.zeros(3, dtype=np.int64), seed=0, fractions=fractions)


def test_validation_off_train():
    y = np.repeat([0, 1], [40, 20])
    given = np.array((["train"] * 25 + ["validation"] * 5 + ["test"] * 10) + ["train"] * 10 + ["test"] * 10)
    split = split_validation_off_train(y, given, seed=0)
    assert counts(split, y, 0) == {"train": 20, "validation": 5, "test": 10}
    assert counts(split, y, 1) == {"train": 8, "validation": 2, "test": 10}
    assert (split[given == "validation"] == "unused").all()
    assert (given[split == "validation"] == "train").all()
    assert (split == split_validation_off_train(y, given, seed=0)).all()


def test_validation_leaves_every_class_a_training_row():
    y = np.array([0, 1, 1])
    split = split_validation_off_train(y, np.full(3, "train"), seed=0)
    assert split[0] == "train"
    assert sorted(split[1:]) == ["train", "validation"]


@pytest.mark.parametrize("fraction", [0.0, 1.0, -1.0])
def test_fraction_must_lie_between(fraction):
    with pytest.raises(EvenhandError, match="fraction must lie between 0 and 1"):
        split_validation_off_train(
            np.zeros(4, dtype=np.int64), np.full(4, "train"), seed=0, fraction=fraction
        )


def test_no_class_with_two_training_rows():
    with pytest.raises(EvenhandError, match="no class has two training rows"):
        split_validation_off_train(np.array([0, 1]), np.full(2, "train"), seed=0)
