import numpy as np

from evenhand.functional.dealt_folds import dealt_folds


def deal(y, key, k=3, seed=0):
    return dealt_folds(y, key, k, np.random.default_rng(seed))


def test_every_row_is_in_a_fold_and_classes_are_spread():
    y = np.repeat([0, 1], [40, 9])
    folds = deal(y, np.random.default_rng(1).normal(size=49))
    for code, n in ((0, 40), (1, 9)):
        counts = np.bincount(folds[y == code], minlength=3)
        assert counts.sum() == n
        assert np.ptp(counts) <= 1


def test_another_order_of_the_rows_gives_the_same_folds():
    generator = np.random.default_rng(2)
    y, key = generator.integers(3, size=50), generator.normal(size=50)
    order = generator.permutation(50)
    np.testing.assert_array_equal(deal(y, key)[order], deal(y[order], key[order]))


def test_folds_hold_easy_and_hard_rows_alike():
    key = np.arange(300.0)
    folds = deal(np.zeros(300, dtype=int), key)
    means = [key[folds == fold].mean() for fold in range(3)]
    assert np.ptp(means) < 2


def test_a_lone_row_is_in_no_fold():
    assert deal(np.array([0, 1, 0, 0]), np.zeros(4))[1] == -1


def test_many_small_classes_fill_all_folds():
    folds = deal(np.repeat(np.arange(100), 2), np.arange(200.0))
    assert np.bincount(folds, minlength=3).min() > 40
