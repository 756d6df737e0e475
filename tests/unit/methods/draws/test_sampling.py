from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from evenhand.functional.geometry import unit
from evenhand.methods._draws.negatives import NearestNegatives, RandomNegatives
from evenhand.methods._draws.positives import Centroid, DrawnRows
from evenhand.methods._draws.sampling import RowsByClass, SamplingPool

Y = torch.tensor([0, 2, 1, 2, 0, 2])
H = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
DTYPES = {torch.float32: 1e-6, torch.float64: 1e-14}
"""Types with the error that their arithmetic is allowed."""


def pool(h: Tensor = H) -> SamplingPool:
    return SamplingPool(lambda: h, Y, torch.tensor([0, 1]), [(c == Y).nonzero().flatten() for c in range(3)])


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


def test_every_anchor_sees_rows_of_its_class_and_of_no_other() -> None:
    anchors = torch.tensor([0, 1, 1, 2])
    codes = Y[anchors]
    positive = DrawnRows(5).sampler(pool())(anchors, codes, stream())
    negative = RandomNegatives(5).sampler(pool())(anchors, codes, stream())
    for drawn, own in ((positive, True), (negative, False)):
        assert len(drawn.rows) == 3
        assert bool(((Y[drawn.rows[drawn.draw]] == codes[:, None]) == own).all())


def test_more_positives_than_rows_repeat() -> None:
    drawn = DrawnRows(16).sampler(pool())(torch.tensor([2]), torch.tensor([1]), stream())
    assert drawn.rows.tolist() == [[2] * 16]


def renormalised(rows: Sequence[Sequence[float]], weights: Sequence[float]) -> list[float]:
    """Return unit(Σ w_i r_i), one number at a time."""
    total = [sum(w * row[d] for w, row in zip(weights, rows, strict=True)) for d in range(len(rows[0]))]
    norm = sum(value * value for value in total) ** 0.5
    return [value / norm for value in total]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_centroid_is_the_renormalised_mean(dtype: torch.dtype) -> None:
    z = unit(torch.randn(2, 3, 4, generator=stream(), dtype=dtype))
    found = Centroid(3).targets(z)
    assert found.dtype == dtype
    assert found.shape == (2, 1, 4)
    for draw, rows in enumerate(z.tolist()):
        assert found[draw, 0].tolist() == pytest.approx(renormalised(rows, [1 / 3] * 3), abs=DTYPES[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_nearest_negatives_belong_to_their_anchor_and_repeat_when_few(dtype: torch.dtype) -> None:
    look_up = NearestNegatives(5).sampler(pool(H.to(dtype)))
    anchors = [1, 0]
    drawn = look_up(torch.tensor(anchors), Y[anchors], stream())
    assert drawn.draw is None
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
