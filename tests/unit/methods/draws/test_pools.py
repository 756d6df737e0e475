from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from evenhand.functional.geometry import unit
from evenhand.methods._draws.calibration_set import CalibrationSet
from evenhand.methods._draws.negatives import NearestNegatives, RandomNegatives
from evenhand.methods._draws.pools import RowsByClass, SamplingPool
from evenhand.methods._draws.positives import Centroid, DrawnRows, RunningCentroid

Y = torch.tensor([0, 2, 1, 2, 0, 2])
H = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
DTYPES = {torch.float32: 1e-6, torch.float64: 1e-14}
"""Types with the error that their arithmetic is allowed."""


def ground(h: Tensor = H) -> SamplingPool:
    chosen = CalibrationSet(
        torch.tensor([0, 1]), tuple((c == Y).nonzero().flatten() for c in range(3)), torch.zeros(6), ()
    )
    return SamplingPool(lambda: h, Y, chosen, 3)


def stream() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_draws_stay_in_the_pool_and_reach_all_of_it_alike() -> None:
    pools = RowsByClass.of_codes(Y, 3)
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


def renormalised(rows: Sequence[Sequence[float]], weights: Sequence[float]) -> list[float]:
    """Return unit(Σ w_i r_i), one number at a time."""
    total = [sum(w * row[d] for w, row in zip(weights, rows, strict=True)) for d in range(len(rows[0]))]
    norm = sum(value * value for value in total) ** 0.5
    return [value / norm for value in total]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_centroid_is_the_renormalised_mean(dtype: torch.dtype) -> None:
    source = Centroid(3).begin(ground())
    z = unit(torch.randn(2, 3, 4, generator=stream(), dtype=dtype))
    found = source.targets(z, source.draw(torch.tensor([0, 2]), stream()))
    assert found.dtype == dtype
    assert found.shape == (2, 1, 4)
    for line, rows in enumerate(z.tolist()):
        assert found[line, 0].tolist() == pytest.approx(renormalised(rows, [1 / 3] * 3), abs=DTYPES[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_running_centroid_averages_over_steps_and_keeps_its_class(dtype: torch.dtype) -> None:
    source = RunningCentroid(3, momentum=0.7).begin(ground())
    past: dict[int, list[float]] = {}
    generator = stream()
    for classes in ([2], [0, 2], [0], [2]):
        z = unit(torch.randn(len(classes), 3, 4, generator=generator, dtype=dtype))
        found = source.targets(z, source.draw(torch.tensor(classes), stream()))
        assert found.dtype == dtype
        for line, (code, rows) in enumerate(zip(classes, z.tolist(), strict=True)):
            known = code in past
            terms = [past[code], *rows] if known else rows
            shares = [0.7, 0.1, 0.1, 0.1] if known else [1 / 3] * 3
            past[code] = renormalised(terms, shares)
            assert found[line, 0].tolist() == pytest.approx(past[code], abs=DTYPES[dtype])


def test_the_gradient_of_a_running_centroid_does_not_reach_past_steps() -> None:
    source = RunningCentroid(3).begin(ground())
    past, now = (unit(torch.randn(1, 3, 4, generator=stream()) + k).requires_grad_() for k in range(2))
    drawn = source.draw(torch.tensor([2]), stream())
    source.targets(past, drawn)
    source.targets(now, drawn).sum().backward()
    assert past.grad is None
    assert now.grad is not None


@pytest.mark.parametrize("dtype", DTYPES)
def test_nearest_negatives_belong_to_their_anchor_and_repeat_when_few(dtype: torch.dtype) -> None:
    source = NearestNegatives(5).begin(ground(H.to(dtype)))
    anchors = [1, 0]
    drawn = source.draw(torch.tensor(anchors), Y[anchors], stream())
    assert drawn.line is None
    rows = H.double().tolist()
    for found, anchor in zip(drawn.rows.tolist(), anchors, strict=True):
        cosine = {
            row: sum(a * b for a, b in zip(rows[anchor], rows[row], strict=True))
            / sum(a * a for a in rows[row]) ** 0.5
            for row in range(6)
            if Y[row] != Y[anchor]
        }
        nearest = sorted(cosine, key=lambda row: -cosine[row])[:3]
        assert found == [*nearest, *nearest[:2]]
