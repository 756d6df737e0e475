import numpy as np
import pytest
import torch

from evenhand import CFR, EvenhandError
from evenhand.methods._training.folds import stratified_folds

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
