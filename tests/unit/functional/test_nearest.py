"""Exact neighbours, against a full sort."""

import pytest
import torch

from evenhand.functional import nearest
from evenhand.functional.geometry import unit


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("block", [1, 7, 1000])
@pytest.mark.parametrize("classes", [2, 5])
def test_equal_to_a_full_sort(
    block: int, classes: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "QUERIES", block)
    monkeypatch.setattr(nearest, "KEYS", max(4, block))
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(60, 6, generator=generator, dtype=dtype)
    y = torch.randint(classes, (60,), generator=generator)
    queries = torch.tensor([3, 0, 59, 20])
    found = nearest.nearest_of_other_classes(h, y, queries, 4)
    for row, query in zip(found, queries, strict=True):
        cosine = unit(h.double()) @ unit(h[query].double())
        cosine[y == y[query]] = -torch.inf
        assert row.tolist() == cosine.argsort(descending=True)[:4].tolist()
