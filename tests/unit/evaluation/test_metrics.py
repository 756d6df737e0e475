import numpy as np
import pytest

from evenhand.evaluation.metrics import evaluate

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
