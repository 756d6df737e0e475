import numpy as np
import pytest
from scipy.stats import binomtest

from evenhand.evaluation.accuracy import evaluate, rate

Y = np.array([0, 0, 0, 1, 1, 1])
RIGHT = np.array([True, True, False, True, False, False])
GROUPS = np.array(["a / x", "a / x", "a / y", "b / y", "b / y", ""])
NAMES = ["a / x", "a / y", "b / x", "b / y"]


def test_every_rate_comes_with_its_count_and_an_empty_group_is_undefined() -> None:
    found = evaluate(RIGHT, Y, ["a", "b"], groups=GROUPS, group_names=NAMES)
    assert [(g.name, g.n, g.value) for g in found.groups] == [
        ("a / x", 2, 1.0),
        ("a / y", 1, 0.0),
        ("b / x", 0, None),
        ("b / y", 2, 0.5),
    ]
    assert found.groups[2].low is None
    assert found.worst_group is not None
    assert found.worst_group.name == "a / y"
    assert found.worst_class is not None
    assert found.worst_class.name == "b"
    assert found.gap == 1.0


def test_the_four_averages_differ_and_the_undefined_one_is_none() -> None:
    known = GROUPS != ""
    train = np.array(["a / x"] * 8 + ["a / y"] * 1 + ["b / y"] * 1)
    present = [name for name in NAMES if name != "b / x"]
    found = evaluate(
        RIGHT[known], Y[known], ["a", "b"], groups=GROUPS[known], group_names=present, train_groups=train
    )
    averages = found.averages
    assert averages.plain == pytest.approx(3 / 5)
    assert averages.group_mean == pytest.approx((1 + 0 + 0.5) / 3)
    assert averages.class_mean == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert averages.train_weighted == pytest.approx(0.8 * 1 + 0.1 * 0 + 0.1 * 0.5)
    with_empty = evaluate(RIGHT, Y, ["a", "b"], groups=GROUPS, group_names=NAMES)
    assert with_empty.averages.group_mean is None
    assert with_empty.averages.train_weighted is None


def test_cells_are_class_by_erm_right_or_wrong() -> None:
    erm = np.array([True, False, False, True, True, False])
    found = evaluate(RIGHT, Y, ["a", "b"], erm_right=erm)
    assert [(c.name, c.n, c.value) for c in found.cells] == [
        ("a / ERM right", 1, 1.0),
        ("a / ERM wrong", 2, 0.5),
        ("b / ERM right", 2, 0.5),
        ("b / ERM wrong", 1, 0.0),
    ]


def test_permuting_rows_changes_nothing() -> None:
    order = np.random.default_rng(0).permutation(len(Y))
    first = evaluate(RIGHT, Y, ["a", "b"], groups=GROUPS, group_names=NAMES)
    assert first == evaluate(RIGHT[order], Y[order], ["a", "b"], groups=GROUPS[order], group_names=NAMES)


def test_what_is_undefined_enters_no_worst_no_gap_and_no_average() -> None:
    found = evaluate(RIGHT[:3], Y[:3], ["a", "b"], groups=GROUPS[:3], group_names=NAMES)
    assert found.classes[1].value is None
    assert found.averages.class_mean is None
    assert found.worst_class is not None
    assert (found.worst_class.name, found.gap) == ("a", 1.0)
    # A group that is absent from training has no weight, so it may be undefined.
    train = np.array(["a / x", "a / x", "a / y"])
    weighted = evaluate(
        RIGHT[:3], Y[:3], ["a", "b"], groups=GROUPS[:3], group_names=NAMES, train_groups=train
    )
    assert weighted.averages.train_weighted == pytest.approx(2 / 3)
    nothing = evaluate(RIGHT[:0], Y[:0], ["a", "b"], groups=GROUPS[:0], group_names=NAMES, train_groups=train)
    assert (nothing.averages.plain, nothing.averages.train_weighted) == (None, None)
    assert (nothing.worst_class, nothing.worst_group, nothing.gap) == (None, None, None)


def test_training_groups_that_are_all_unknown_give_no_weights() -> None:
    found = evaluate(RIGHT, Y, ["a", "b"], groups=GROUPS, group_names=NAMES, train_groups=np.array(["", ""]))
    assert found.averages.train_weighted is None


def test_the_gap_is_between_groups_and_without_groups_between_classes() -> None:
    right = np.array([True, True, True, True, False, True])
    assert evaluate(right, Y, ["a", "b"]).gap == pytest.approx(1 / 3)
    found = evaluate(right, Y, ["a", "b"], groups=GROUPS, group_names=NAMES)
    assert found.gap == pytest.approx(0.5)


def test_a_rate_has_wilsons_interval() -> None:
    found = rate("a", np.array([True] * 9 + [False]))
    assert (found.n, found.value) == (10, 0.9)
    oracle = binomtest(9, 10).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high))
    empty = rate("a", np.zeros(0, dtype=bool))
    assert (empty.n, empty.value, empty.low, empty.high) == (0, None, None, None)
