import torch

from evenhand.methods._draws.calibration_set import CalibrationSet


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
