import numpy as np
import pytest
import torch

from evenhand import AFR, CFR, Auto, EVaLS, EvenhandError, LinearProbe
from evenhand.data.splits import Units
from evenhand.methods._training.folds import folds_of_rows, stratified_folds
from evenhand.methods.auto.rows import Rows
from evenhand.methods.label_codes import unit_codes

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)


def test_every_row_is_held_out_once_and_trains_in_the_other_folds() -> None:
    y = torch.tensor([0] * 17 + [1] * 4 + [2] * 2)
    folds = stratified_folds(y, 3, seed=0)
    assert torch.cat([fold.held for fold in folds]).sort().values.tolist() == list(range(23))
    for fold in folds:
        assert sorted([*fold.train.tolist(), *fold.held.tolist()]) == list(range(23))
        assert set(y[fold.train].tolist()) == {0, 1, 2}
        assert int((y[fold.held] == 0).sum()) in (5, 6)


def test_a_row_alone_in_its_class_always_trains() -> None:
    folds = stratified_folds(torch.tensor([0, 0, 0, 1]), 2, seed=0)
    assert all(3 in fold.train.tolist() for fold in folds)


def test_many_small_classes_fill_all_folds_alike() -> None:
    folds = stratified_folds(torch.arange(300) // 2, 3, seed=0)
    assert [len(fold.held) for fold in folds] == [100, 100, 100]


def test_fewer_than_two_folds_are_refused() -> None:
    with pytest.raises(EvenhandError, match="folds must be at least 2, but it is 1"):
        CFR(folds=1).fit(X, np.arange(40) % 2)


def test_single_rows_cannot_be_cross_fitted_and_this_is_said() -> None:
    with pytest.raises(EvenhandError, match="every class has a single row"):
        CFR().fit(X[:3], [0, 1, 2])


def test_rows_of_a_unit_fall_into_one_fold() -> None:
    y, units = torch.arange(60) % 2, np.arange(60) // 6
    folds = stratified_folds(y, 3, seed=0, units=units)
    assert torch.cat([fold.held for fold in folds]).sort().values.tolist() == list(range(60))
    for fold in folds:
        assert not set(units[fold.train]) & set(units[fold.held])


def test_a_unit_that_holds_a_whole_class_always_trains() -> None:
    y = np.array([0, 0, 0, 1, 0, 0])
    dealt = Units.of(y, np.array([0, 1, 2, 2, 3, 3]))
    assert folds_of_rows(y, dealt, np.array([0, 1, 0, 1])).tolist() == [0, 1, -1, -1, 1, 1]


@pytest.mark.parametrize("method", [Auto(repeats=1), CFR(folds=2), LinearProbe(), AFR(), EVaLS()])
def test_a_method_never_divides_a_unit(method, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every unit has two equal rows: a model that trained on one knows the other by heart."""
    seen = []
    original = Units.of
    monkeypatch.setattr(Units, "of", staticmethod(lambda y, units: seen.append(units) or original(y, units)))
    method.fit(np.repeat(X, 2, axis=0), np.repeat(np.arange(40) % 2, 2), units=np.repeat(np.arange(40), 2))
    assert seen
    for units in seen:
        assert np.bincount(units)[units].min() == 2


def test_units_of_another_number_are_refused() -> None:
    with pytest.raises(EvenhandError, match="units: it has 3 values but y has 40; give one for each"):
        LinearProbe().fit(X, np.arange(40) % 2, units=[1, 2, 3])


def test_rows_without_a_unit_are_their_own() -> None:
    assert unit_codes(["a", "", None, "a", "2", 2], 6).tolist() == [0, 1, 2, 0, 4, 4]
    assert unit_codes(None, 6) is None


def test_folds_of_the_default_method_keep_units_whole_and_alike_in_all_repeats() -> None:
    y, units = np.arange(40) % 2, np.arange(40) // 4
    y[:8] = 2  # a class that two units hold
    rows = Rows(X, y, X[:3], has_text=False, seed=0, units=units)
    found = rows.folds(3, 8)
    assert len({tuple(folds) for folds in found}) > 1
    for folds in found:
        assert [len(set(folds[units == unit])) for unit in range(10)] == [1] * 10
        assert folds[0] != folds[4]
    y[4:8] = [0, 1, 1, 1]  # now one
    for folds in Rows(X, y, X[:3], has_text=False, seed=0, units=units).folds(3, 8):
        assert folds[:4].tolist() == [-1] * 4
        assert (folds >= 0).sum() >= 30
