import numpy as np
import pytest

from evenhand.data import class_order
from evenhand.data.class_order import order_warning

Y = np.repeat(np.arange(4), 50)
CLASSES = ["ass", "cow", "hen", "pig"]


def predictions(order: list[int], right: float = 0.9) -> np.ndarray:
    """Return what text features in another order predict: row k is that of class order[k]."""
    generator = np.random.default_rng(0)
    seen = np.where(generator.random(len(Y)) < right, Y, generator.integers(0, 4, len(Y)))
    return np.argsort(order)[seen]


def test_the_right_order_is_not_remarked_upon() -> None:
    for right in (0.9, 0.3, 0.0):
        assert order_warning(predictions([0, 1, 2, 3], right), Y, CLASSES) is None


def test_another_order_is_named() -> None:
    told = order_warning(predictions([2, 0, 3, 1]), Y, CLASSES)
    assert told is not None
    assert "far below chance" in told
    assert "in the order of the classes, ass, cow, hen, pig; they fit the order hen, ass, pig, cow" in told


def test_two_rows_exchanged_stay_above_chance_and_are_told() -> None:
    told = order_warning(predictions([1, 0, 2, 3]), Y, CLASSES)
    assert told is not None
    assert told.startswith("zero-shot is better in another order: ")
    assert "cow, ass, hen, pig" in told


def test_below_chance_without_a_better_order() -> None:
    y = np.repeat([0, 1], [190, 10])
    told = order_warning(np.ones(200, dtype=np.int64), y, ["a", "b"])
    assert told is not None
    assert "far below chance: 5.0 %" in told
    wrong = (Y + np.random.default_rng(0).integers(1, 4, len(Y))) % 4
    told = order_warning(wrong, Y, CLASSES)
    assert told is not None
    assert told.endswith("in the order of the classes, ass, cow, hen, pig")


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_rows_to_tell(n: int) -> None:
    assert order_warning(Y[:n], Y[:n], CLASSES) is None


def test_a_thousand_noisy_classes_are_not_put_in_an_order() -> None:
    generator = np.random.default_rng(0)
    y = np.repeat(np.arange(300), 2)
    assert order_warning(generator.integers(0, 300, 600), y, [str(k) for k in range(300)]) is None


def test_too_many_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_order, "MOST_CLASSES", 3)
    assert order_warning(predictions([2, 0, 3, 1]), Y, CLASSES) is None
