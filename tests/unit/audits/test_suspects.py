import numpy as np

from evenhand.audits.suspects import mostly_correct, suspects

CLASSES = ("gull", "jay", "owl")


def find(
    logits: dict[str, list[list[float]]],
    y: list[int],
    trusted: tuple[bool, ...] = (True,) * 3,
    minority: tuple[float, ...] | None = None,
) -> list:
    n = len(y)
    low = np.ones(n) if minority is None else np.array(minority)
    arrays = {name: np.array(values, dtype=np.float32) for name, values in logits.items()}
    ids, paths = [f"row-{k}" for k in range(100)], [f"{k}.jpg" for k in range(100)]
    return suspects(np.arange(n) + 50, np.array(y), arrays, np.array(trusted), low, CLASSES, ids, paths)


def test_only_rows_that_both_take_for_the_same_other_class() -> None:
    zero_shot = [[0.0, 3, 0], [0, 3, 0], [3, 0, 0], [0, 2, 0]]
    cfr = [[0.0, 3, 0], [0, 0, 3], [3, 0, 0], [0, 9, 0]]
    found = find({"zero_shot": zero_shot, "cfr": cfr}, [0, 0, 0, 2])
    assert [(one.row, one.id, one.path) for one in found] == [
        (50, "row-50", "50.jpg"),
        (53, "row-53", "53.jpg"),
    ]
    assert [(one.label, one.looks_like) for one in found] == [("gull", "jay"), ("owl", "jay")]
    p = np.exp(0) / (np.exp(3) + 2)
    assert np.isclose(found[0].score, 1 - p)
    assert all(word in found[0].reason for word in ("zero_shot (95 %)", "cfr (95 %)", "gull", "jay"))


def test_where_the_shortcut_fits_the_label_a_row_is_not_rare() -> None:
    both = [[0.0, 3, 0], [0.0, 3, 0]]
    found = find({"zero_shot": both, "auto": both}, [0, 0], minority=(0.5, 0.49))
    assert [one.may_be for one in found] == ["wrong label or rare condition", "wrong label or hard image"]


def test_a_model_that_mostly_misclassifies_a_class_is_no_evidence() -> None:
    logits = {"zero_shot": [[0.0, 3, 0]], "cfr": [[0.0, 3, 0]]}
    assert find(logits, [0], (False, True, True)) == []


def test_a_class_is_trusted_only_if_every_model_is_right_on_more_than_half_of_it() -> None:
    y = np.array([0, 0, 1, 1, 1, 2])
    one = np.array([True, False, True, True, False, True])
    other = np.array([True, True, True, True, True, False])
    assert mostly_correct([one, other], y, 4).tolist() == [False, True, False, False]
    assert mostly_correct([other], y, 4).tolist() == [True, True, False, False], "a class without rows is not"
