"""Splits as given, and seeded stratified ones."""

import numpy as np
import pytest

from evenhand._errors import EvenhandError
from evenhand.data.splits import given_or_drawn, hold_out, stratified_split


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


def test_that_validation_rows_will_test_is_noted():
    y = np.zeros(3, dtype=np.int64)
    _, notes, _ = given_or_drawn(np.array(["train", "train", "val"]), y, seed=0, column="split")
    assert notes == ["no test split is given: accuracies will be those of the validation split"]
    assert given_or_drawn(np.array(["train", "train", "test"]), y, seed=0, column="split")[1] == []


def test_fractions_must_be_shares():
    for fractions in ({"train": 0.5, "test": 0.4}, {"train": 1.2, "test": -0.2}, {}):
        with pytest.raises(EvenhandError, match="fractions must be positive and sum to 1"):
            stratified_split(np.zeros(3, dtype=np.int64), seed=0, fractions=fractions)


def test_a_share_of_every_class_is_held_out():
    y = np.array([1] * 4 + [0] * 23 + [1] * 6)
    kept, held = hold_out(y, seed=0)
    assert np.sort(np.concatenate([kept, held])).tolist() == list(range(len(y)))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(held) > 0).all()
    assert np.bincount(y[held]).tolist() == [23 // 5, 10 // 5]
    assert np.bincount(y[hold_out(y, seed=0, share=0.5)[1]]).tolist() == [11, 5]


def test_a_class_of_a_few_rows_keeps_them():
    kept, held = hold_out(np.array([0, 1, 1, 1, 1]), seed=0)
    assert kept.tolist() == [0, 1, 2, 3, 4]
    assert held.tolist() == []
    assert held.dtype == np.int64


def test_the_seed_decides_what_is_held_out():
    y = np.repeat([0, 1], 50)
    assert (hold_out(y, seed=1)[1] == hold_out(y, seed=1)[1]).all()
    assert (hold_out(y, seed=1)[1] != hold_out(y, seed=2)[1]).any()


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0])
def test_share_must_lie_between(share):
    with pytest.raises(EvenhandError, match="share must be between 0 and 1"):
        hold_out(np.zeros(4, dtype=np.int64), seed=0, share=share)


def test_given_splits_are_read_in_any_case_or_as_numbers():
    y = np.array([0, 0, 1])
    named = given_or_drawn(np.array(["Train", "dev", "TESTING"]), y, seed=0, column="fold")
    numbered = given_or_drawn(np.array(["0", "1", "2"]), y, seed=0, column="fold")
    assert named[0].tolist() == numbered[0].tolist() == ["train", "validation", "test"]
    assert (named.notes, named.drawn) == ([], False)
    assert numbered[1] == ["the split numbers 0, 1, 2 are read as train, validation, test"]


@pytest.mark.parametrize(
    ("given", "why"), [(None, "no splits are given"), (["train"] * 20, "all images are given as train")]
)
def test_splits_are_drawn_where_none_are_given(given, why):
    y = np.repeat([0, 1], 10)
    given = None if given is None else np.array(given)
    split, notes, drawn = given_or_drawn(given, y, seed=4, column="split")
    assert split.tolist() == stratified_split(y, seed=4).tolist()
    assert drawn
    assert notes == [f"{why}: 70 % train, 15 % validation, 15 % test, drawn by class with seed 4"]


def test_what_is_no_split_is_named_with_its_row():
    with pytest.raises(
        EvenhandError, match="'night' in column 'fold' at row 2 is not a split; allowed: train, training"
    ):
        given_or_drawn(np.array(["train", "night"]), np.array([0, 1]), seed=0, column="fold")


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (["0", "2", ""], "at row 3 of 3"),
        (["", "train", ""], "at 2 rows, the first is row 1 of 3"),
    ],
)
def test_a_gap_among_splits_is_named(given, where):
    with pytest.raises(EvenhandError, match=f"^split_column: column 'fold' has no value {where}; fill it in"):
        given_or_drawn(np.array(given), np.array([0, 1, 1]), seed=0, column="fold")


def test_a_unit_gets_one_split():
    y = np.repeat([0, 1], 100)
    units = np.arange(200) // 4
    split = stratified_split(y, seed=0, units=units)
    assert all(len(set(split[units == unit])) == 1 for unit in range(50))
    assert counts(split, y, 0) == counts(split, y, 1) == {"train": 68, "validation": 16, "test": 16}


def test_units_of_one_row_change_nothing():
    y = np.array([0, 1, 0, 0, 1, 1, 0, 1, 1, 0] * 5)
    assert (stratified_split(y, seed=3, units=np.arange(50)[::-1]) == stratified_split(y, seed=3)).all()
    for one, other in zip(hold_out(y, seed=3, units=np.arange(50)), hold_out(y, seed=3), strict=True):
        assert one.tolist() == other.tolist()


def test_a_unit_of_two_classes_counts_for_the_one_of_most_rows():
    y = np.array([0, 0, 1, 1, 1, 0])
    split = stratified_split(y, seed=0, units=np.array([7, 7, 7, 2, 2, 2]))
    assert len(set(split[:3])) == len(set(split[3:])) == 1
    assert set(split) == {"train"}  # each is the only unit of its class


def test_no_unit_is_held_out_in_part():
    y = np.repeat([0, 1], 50)
    units = np.arange(100) // 7
    kept, held = hold_out(y, seed=1, units=units)
    assert not set(units[kept]) & set(units[held])
    assert 0 < len(held) <= 20


def test_a_class_that_units_would_take_away_stays_in_training() -> None:
    y = np.array([0, 0, 1, 0, 0, 2] * 4)
    units = np.arange(24) // 3
    y[y == 1], y[2] = 0, 1  # the only row of class 1 is in a unit of class 0
    for seed in range(20):
        kept, held = hold_out(y, seed=seed, share=0.5, units=units)
        assert 1 in y[kept]
        assert not set(units[kept]) & set(units[held])


def test_a_draw_that_leaves_nothing_to_evaluate_on_is_said():
    y = np.array([0, 1] * 10)
    split, notes, _ = given_or_drawn(None, y, seed=0, column="split", units=y)
    assert set(split.tolist()) == {"train"}
    assert notes[1].startswith(
        "every image would be in train, and nothing would be left to evaluate on: there are"
    )
    assert len(given_or_drawn(None, y, seed=0, column="split", units=np.arange(20) // 2)[1]) == 1
