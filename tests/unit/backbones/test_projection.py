from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from open_clip.model import CLIP
from torch import Tensor

from evenhand import EvenhandError
from evenhand.backbones import projection as module
from evenhand.backbones.projection import (
    AdapterProjection,
    AttentionPoolProjection,
    LinearProjection,
    Projection,
    head_projection,
    projection_of,
)
from evenhand.backbones.sites import find_site
from evenhand.data.head import Head


def linear() -> LinearProjection:
    return LinearProjection(torch.randn(6, 4), torch.randn(4))


def pool(places: int = 4) -> AttentionPoolProjection:
    """Six channels, three heads of width two."""
    return AttentionPoolProjection(
        torch.randn(6, 5),
        torch.randn(5),
        positional_embedding=torch.randn(1 + places, 6),
        **{f"{name}_weight": torch.randn(6, 3, 2) for name in ("query", "key", "value")},
        **{f"{name}_bias": torch.randn(3, 2) for name in ("query", "value")},
    )


def adapter(base: Projection | None = None) -> AdapterProjection:
    """Five hidden units on vectors of width four."""
    return AdapterProjection(
        torch.randn(5, 3),
        torch.randn(3),
        base=base or linear(),
        down_weight=torch.randn(4, 5),
        down_bias=torch.randn(5),
    )


def pooled_adapter() -> AdapterProjection:
    return replace(adapter(), base=pool(), down_weight=torch.randn(5, 5))


@pytest.fixture(params=[linear, pool, adapter, pooled_adapter])
def projection(request: pytest.FixtureRequest) -> Projection:
    made: Callable[[], Projection] = request.param
    return made()


@pytest.fixture
def h(projection: Projection) -> Tensor:
    return torch.randn(7, projection.width)


def test_the_width_is_rows_or_channels_times_places() -> None:
    assert linear().width == 6
    assert pool().width == 24
    assert adapter().width == 6


def test_gives_unit_vectors(projection: Projection, h: Tensor) -> None:
    assert torch.allclose(projection.embed(h).norm(dim=1), torch.ones(7))


def test_centred_rows_have_mean_zero(projection: Projection, h: Tensor) -> None:
    centered = projection.centered([h[:3], h[3:]])
    rows = centered.pool(h) @ centered.weight + centered.bias
    assert torch.allclose(rows.mean(dim=0), torch.zeros(rows.shape[1]), atol=1e-5)


def test_from_its_own_tensors_it_is_the_same(projection: Projection, h: Tensor) -> None:
    again = projection_of(projection.tensors())
    assert type(again) is type(projection)
    assert torch.equal(again.embed(h), projection.embed(h))


def test_with_other_tensors_it_is_of_the_same_kind(projection: Projection) -> None:
    other = projection.with_tensors({"bias": projection.weight[0]})
    assert type(other) is type(projection)
    assert torch.equal(other.tensors()["bias"], projection.weight[0])
    assert torch.equal(other.weight, projection.weight)


def test_an_adapter_is_a_hidden_layer_on_the_vectors_of_its_base() -> None:
    projection = adapter()
    h = torch.randn(7, 6)
    for row, found in zip(h, projection.embed(h), strict=True):
        z0 = row @ projection.base.weight + projection.base.bias
        z0 = z0 / z0.norm()
        hidden = (z0 @ projection.down_weight + projection.down_bias).clamp(min=0)
        out = hidden @ projection.weight + projection.bias
        assert torch.allclose(found, out / out.norm(), atol=1e-6)


def test_the_tensors_of_a_base_are_named_and_changed_through_it() -> None:
    projection = adapter()
    assert sorted(projection.tensors()) == [
        "base.bias",
        "base.weight",
        "bias",
        "down_bias",
        "down_weight",
        "weight",
    ]
    other = projection.with_tensors({"base.bias": torch.zeros(4)})
    assert other.base.bias is not None
    assert not other.base.bias.any()
    assert torch.equal(other.base.weight, projection.base.weight)


@pytest.mark.parametrize(
    ("name", "shape"), [("weight", (4, 3)), ("bias", (5,)), ("down_weight", (5, 4)), ("down_bias", (4,))]
)
def test_tensors_of_different_adapters_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(EvenhandError, match=r"of the adapter has shape .* but the other tensors need"):
        adapter().with_tensors({name: torch.zeros(shape)})
    with pytest.raises(EvenhandError, match=r"bias of the adapter has shape None but the other tensors need"):
        replace(adapter(), bias=None)


def test_every_tensor_has_a_gradient(projection: Projection, h: Tensor) -> None:
    leaves = {name: tensor.requires_grad_() for name, tensor in projection.tensors().items()}
    projection.with_tensors(leaves).embed(h).square().cos().sum().backward()
    assert all(tensor.grad is not None and tensor.grad.abs().sum() > 0 for tensor in leaves.values())


def test_maps_are_pooled_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    projection = pool()
    h = torch.randn(7, projection.width)
    whole = projection.embed(h)
    monkeypatch.setattr(module, "ROWS", 3)
    assert torch.allclose(projection.embed(h), whole, atol=1e-6)
    assert projection.embed(h[:0]).shape == (0, 5)


def test_a_linear_projection_may_have_no_bias() -> None:
    assert list(LinearProjection(torch.zeros(6, 4)).tensors()) == ["weight"]
    assert head_projection(Head(np.ones((3, 2), np.float32), None, ("a", "b"))).bias is None


def test_training_a_heads_projection_leaves_the_head_alone() -> None:
    head = Head(np.ones((3, 2), np.float32), np.ones(2, np.float32), ("a", "b"))
    for tensor in head_projection(head).tensors().values():
        tensor.zero_()
    assert (head.weight == 1).all()
    assert head.bias is not None
    assert (head.bias == 1).all()


def test_a_heads_pool_is_its_projections(resnet: CLIP) -> None:
    site = find_site(resnet, "small", "attnpool")
    arrays = {name: tensor.numpy() for name, tensor in site.projection.tensors().items()}
    head = Head(arrays.pop("weight"), arrays.pop("bias"), ("a", "b"), pool=arrays)
    again = head_projection(head)
    assert isinstance(again, AttentionPoolProjection)
    assert head.width == again.width == 4 * 256
    assert all(torch.equal(again.tensors()[name], t) for name, t in site.projection.tensors().items())


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(EvenhandError, match=r"weight has shape \(6, 4\) and bias \(6,\); give weight"):
        LinearProjection(torch.zeros(6, 4), torch.zeros(6))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("weight", (5, 5)),
        ("bias", (6,)),
        ("query_weight", (6, 2, 3)),
        ("value_weight", (5, 3, 2)),
        ("positional_embedding", (5, 7)),
        ("query_bias", (6,)),
    ],
)
def test_tensors_of_different_pools_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(EvenhandError, match=r"of the attention pool has shape .* but the other tensors need"):
        pool().with_tensors({name: torch.zeros(shape)})


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("bias",),
        ("weight", "gate"),
        ("weight", "query_weight"),
        ("weight", "down_weight", "down_bias"),
        ("weight", "base.weight"),
        ("weight", "down_weight", "down_bias", "base"),
    ],
)
def test_tensors_of_no_kind_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(
        EvenhandError, match=r"no projection has the tensors .*; the allowed values are weight, bias or"
    ):
        projection_of({name: torch.zeros(2, 2) for name in names})
