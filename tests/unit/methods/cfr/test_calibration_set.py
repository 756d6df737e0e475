import pytest
import torch

from evenhand import EvenhandError
from evenhand.methods.cfr.calibration_set import CalibrationSet, Misclassified, margins


def test_anchors_are_errors_and_positives_the_other_rows_of_the_class() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [0.0, 4.0]])
    chosen = Misclassified()(logits, torch.tensor([0, 0, 1, 1]))
    assert chosen.anchors.tolist() == [1, 2]
    assert [p.tolist() for p in chosen.positives] == [[0], [3]]
    assert chosen.margins.tolist() == [1, -1, -3, 4]
    assert chosen.notes == ()


def test_without_errors_the_lowest_margins_stand_in_and_this_is_said() -> None:
    logits = torch.stack([torch.arange(1.0, 41.0), torch.zeros(40)], dim=1)
    chosen = Misclassified(fallback=0.05)(logits, torch.zeros(40, dtype=torch.long))
    assert chosen.anchors.tolist() == [0, 1]
    assert chosen.positives[0].tolist() == list(range(2, 40))
    assert "misclassifies no training row: the 2 rows of lowest margin" in chosen.notes[0]


def test_of_equal_margins_the_first_rows_stand_in() -> None:
    logits = torch.tensor([[1.0, 0.0]]).repeat(10_000, 1)
    chosen = Misclassified(fallback=0.01)(logits, torch.zeros(len(logits), dtype=torch.long))
    assert chosen.anchors.tolist() == list(range(100))


def test_a_class_that_is_all_wrong_keeps_its_row_of_highest_margin() -> None:
    logits = torch.tensor([[0.0, 1.0], [0.0, 5.0], [0.0, 1.0]])
    chosen = Misclassified()(logits, torch.tensor([0, 0, 1]))
    assert chosen.positives[0].tolist() == [0]
    assert "1 of 2 classes (codes 0) have no row that the reference classifies correctly" in chosen.notes[0]


def test_a_class_without_rows_has_no_positives_and_no_note() -> None:
    chosen = Misclassified()(torch.eye(3)[[0, 1]], torch.tensor([0, 1]))
    assert [len(p) for p in chosen.positives] == [1, 1, 0]


def test_margin_is_against_the_best_other_class() -> None:
    assert margins(torch.tensor([[1.0, 5.0, 3.0]]), torch.tensor([1])).tolist() == [2.0]


def test_sets_of_overlapping_parts_merge_by_row_number() -> None:
    first = CalibrationSet(
        torch.tensor([1]), (torch.tensor([0]), torch.tensor([2])), torch.tensor([1.0, -1.0, 2.0]), ("a",)
    )
    second = CalibrationSet(
        torch.tensor([0]),
        (torch.tensor([1]), torch.tensor([], dtype=torch.long)),
        torch.tensor([-3.0, 4.0]),
        ("a", "b"),
    )
    merged = CalibrationSet.merge([(torch.tensor([0, 1, 3]), first), (torch.tensor([0, 4]), second)], 6)
    assert merged.anchors.tolist() == [0, 1]
    assert [p.tolist() for p in merged.positives] == [[4], [3]]
    assert merged.margins[:5].tolist()[:2] == [-1.0, -1.0]
    assert merged.margins.isnan().tolist() == [False, False, True, False, False, True]
    assert merged.notes == ("a", "b")


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_outside_0_and_1_is_refused(share: float) -> None:
    with pytest.raises(EvenhandError, match="must be above 0 and below 1"):
        Misclassified(share)
