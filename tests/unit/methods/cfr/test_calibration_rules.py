import pytest
import torch

from evenhand import EvenhandError
from evenhand.methods._draws.calibration_set import margins
from evenhand.methods.cfr.calibration_rules import LowMargin, Misclassified, Uniform

GENERATOR = torch.Generator()


def test_anchors_are_errors_and_positives_the_other_rows_of_the_class() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [0.0, 4.0]])
    chosen = Misclassified()(logits, torch.tensor([0, 0, 1, 1]), GENERATOR)
    assert chosen.anchors.tolist() == [1, 2]
    assert [p.tolist() for p in chosen.positives] == [[0], [3]]
    assert chosen.margins.tolist() == [1, -1, -3, 4]
    assert chosen.notes == ()


def test_without_errors_the_lowest_margins_stand_in_and_this_is_said() -> None:
    logits = torch.stack([torch.arange(1.0, 41.0), torch.zeros(40)], dim=1)
    chosen = Misclassified(fallback=0.05)(logits, torch.zeros(40, dtype=torch.long), GENERATOR)
    assert chosen.anchors.tolist() == [0, 1]
    assert chosen.positives[0].tolist() == list(range(2, 40))
    assert "misclassifies no training row: the 2 rows of lowest margin" in chosen.notes[0]


def test_a_class_that_is_all_wrong_keeps_its_row_of_highest_margin() -> None:
    logits = torch.tensor([[0.0, 1.0], [0.0, 5.0], [0.0, 1.0]])
    chosen = Misclassified()(logits, torch.tensor([0, 0, 1]), GENERATOR)
    assert chosen.positives[0].tolist() == [0]
    assert "1 of 2 classes (codes 0) have no row that the reference has right" in chosen.notes[0]


def test_a_class_without_rows_has_no_positives_and_no_note() -> None:
    chosen = Misclassified()(torch.eye(3)[[0, 1]], torch.tensor([0, 1]), GENERATOR)
    assert [len(p) for p in chosen.positives] == [1, 1, 0]


def test_margin_is_against_the_best_other_class() -> None:
    assert margins(torch.tensor([[1.0, 5.0, 3.0]]), torch.tensor([1])).tolist() == [2.0]


def test_low_margin_takes_the_share_of_rows_nearest_to_the_other_side() -> None:
    logits = torch.stack([torch.tensor([5.0, -1.0, 3.0, 1.0]), torch.zeros(4)], dim=1)
    chosen = LowMargin(0.5)(logits, torch.zeros(4, dtype=torch.long), GENERATOR)
    assert chosen.anchors.tolist() == [1, 3]
    assert chosen.positives[0].tolist() == [0, 2]


def test_uniform_is_blind_to_the_reference_and_follows_its_stream() -> None:
    y = torch.zeros(200, dtype=torch.long)
    logits = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    first, second = (Uniform(0.1)(sign * logits, y, torch.Generator().manual_seed(1)) for sign in (1, -1))
    assert len(first.anchors) == 20
    assert torch.equal(first.anchors, second.anchors)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_outside_0_and_1_is_refused(share: float) -> None:
    for rule in (LowMargin, Uniform, Misclassified):
        with pytest.raises(EvenhandError, match="must be above 0 and below 1"):
            rule(share)
