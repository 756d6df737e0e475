import pytest
import torch

from evenhand.calibration.draws import Ground, Pools
from evenhand.calibration.negatives import NearestNegatives, RandomNegatives
from evenhand.calibration.positives import Centroid, DrawnRows, RunningCentroid
from evenhand.calibration.sets import CalibrationSet
from evenhand.functional.geometry import unit

Y = torch.tensor([0, 2, 1, 2, 0, 2])
H = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


def ground() -> Ground:
    chosen = CalibrationSet(
        torch.tensor([0, 1]), tuple((c == Y).nonzero().flatten() for c in range(3)), torch.zeros(6), ()
    )
    return Ground(lambda: H, Y, chosen, 3)


def stream() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_draws_stay_in_the_pool_and_reach_all_of_it_alike() -> None:
    pools = Pools.of_codes(Y, 3)
    classes = torch.tensor([0, 2])
    inside, outside = pools.inside(classes, 200, stream()), pools.outside(classes, 600, stream())
    for place, code in enumerate(classes.tolist()):
        assert set(inside[place].tolist()) == set((code == Y).nonzero().flatten().tolist())
        rows, counts = outside[place].unique(return_counts=True)
        assert rows.tolist() == (code != Y).nonzero().flatten().tolist()
        expected = 600 / len(rows)
        assert float((counts - expected).abs().max()) < 6 * expected**0.5


@pytest.mark.parametrize("shared", [True, False])
def test_every_anchor_sees_rows_of_its_class_and_of_no_other(shared: bool) -> None:
    anchors = torch.tensor([0, 1, 1, 2])
    codes = Y[anchors]
    positive = DrawnRows(5, shared).begin(ground()).draw(codes, stream())
    negative = RandomNegatives(5, shared).begin(ground()).draw(anchors, codes, stream())
    for drawn, own in ((positive, True), (negative, False)):
        line = torch.arange(4) if drawn.line is None else drawn.line
        assert len(drawn.rows) == (3 if shared else 4)
        assert bool(((Y[drawn.rows[line]] == codes[:, None]) == own).all())


def test_more_positives_than_rows_repeat() -> None:
    drawn = DrawnRows(16).begin(ground()).draw(torch.tensor([1]), stream())
    assert drawn.rows.tolist() == [[2] * 16]


def test_a_centroid_is_the_renormalised_mean() -> None:
    source = Centroid(3).begin(ground())
    z = unit(torch.randn(2, 3, 4, generator=stream()))
    drawn = source.draw(torch.tensor([0, 2]), stream())
    assert torch.allclose(source.targets(z, drawn), unit(z.mean(dim=1))[:, None])


def test_a_running_centroid_averages_over_steps_and_keeps_its_class() -> None:
    source = RunningCentroid(3, momentum=0.5).begin(ground())
    z = unit(torch.randn(1, 3, 4, generator=stream())).requires_grad_()
    drawn = source.draw(torch.tensor([2]), stream())
    first = source.targets(z, drawn)
    assert torch.allclose(first[0, 0], unit(z[0].mean(dim=0)))
    other = unit(torch.randn(1, 3, 4, generator=stream()) + 1).requires_grad_()
    second = source.targets(other, drawn)
    assert torch.allclose(second[0, 0], unit(0.5 * first[0, 0] + 0.5 * other[0].mean(dim=0)))
    second.sum().backward()
    assert z.grad is None
    assert other.grad is not None


def test_nearest_negatives_belong_to_their_anchor_and_repeat_when_few() -> None:
    source = NearestNegatives(5).begin(ground())
    drawn = source.draw(torch.tensor([1, 0]), Y[[1, 0]], stream())
    cosine = unit(H) @ unit(H).T
    assert drawn.rows[0, 0] == torch.where(Y != 2, cosine[1], -2).argmax()
    assert drawn.rows[1, 0] == torch.where(Y != 0, cosine[0], -2).argmax()
    assert drawn.rows[0, 3] == drawn.rows[0, 0]
    assert drawn.line is None
