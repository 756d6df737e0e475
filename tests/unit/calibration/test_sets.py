import torch

from evenhand.calibration.draws import Pools, RandomNegatives, RandomPositives
from evenhand.calibration.sets import Misclassified, margins


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
    assert "misclassifies no training row: the 2 rows of lowest margin" in chosen.notes[0]


def test_a_class_that_is_all_wrong_keeps_its_row_of_highest_margin() -> None:
    logits = torch.tensor([[0.0, 1.0], [0.0, 5.0], [0.0, 1.0]])
    chosen = Misclassified()(logits, torch.tensor([0, 0, 1]))
    assert chosen.positives[0].tolist() == [0]
    assert "no row of class 0 right" in chosen.notes[0]


def test_margin_is_against_the_best_other_class() -> None:
    assert margins(torch.tensor([[1.0, 5.0, 3.0]]), torch.tensor([1])).tolist() == [2.0]


def test_draws_stay_in_the_pool_and_reach_all_of_it() -> None:
    y = torch.tensor([0, 2, 1, 2, 0, 2])
    pools = Pools([(y == c).nonzero().flatten() for c in range(3)])
    generator = torch.Generator().manual_seed(0)
    classes = torch.tensor([0, 2])
    own = RandomPositives(200)(pools, classes, generator)
    other = RandomNegatives(600)(pools, classes, generator)
    for place, code in enumerate(classes.tolist()):
        assert set(own[place].tolist()) == set((y == code).nonzero().flatten().tolist())
        rows, counts = other[place].unique(return_counts=True)
        assert rows.tolist() == (y != code).nonzero().flatten().tolist()
        expected = 600 / len(rows)
        assert float((counts - expected).abs().max()) < 6 * expected**0.5
