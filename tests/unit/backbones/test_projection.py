import numpy as np
import pytest
import torch
from open_clip.model import CLIP

from evenhand import EvenhandError
from evenhand.backbones.projection import LinearProjection
from evenhand.backbones.sites import find_site
from evenhand.data.head import Head


def test_gives_unit_vectors() -> None:
    z = LinearProjection(torch.randn(6, 4), torch.randn(4)).apply(torch.randn(3, 6))
    assert torch.allclose(z.norm(dim=1), torch.ones(3))


def test_parameters_are_the_weight_and_the_bias() -> None:
    weight, bias = torch.zeros(6, 4), torch.zeros(4)
    assert list(LinearProjection(weight).parameters()) == [weight]
    assert [p is q for p, q in zip(LinearProjection(weight, bias).parameters(), (weight, bias), strict=True)]


def test_training_a_heads_projection_leaves_the_head_alone() -> None:
    head = Head(np.ones((3, 2), np.float32), np.ones(2, np.float32), ("a", "b"))
    for parameter in LinearProjection.of(head).parameters():
        parameter.zero_()
    assert (head.weight == 1).all()
    assert head.bias is not None
    assert (head.bias == 1).all()


def test_a_head_without_bias_gives_a_projection_without() -> None:
    assert LinearProjection.of(Head(np.ones((3, 2), np.float32), None, ("a", "b"))).bias is None


def test_written_back_it_is_the_models(resnet: CLIP) -> None:
    site = find_site(resnet, "small")
    assert site.bias is not None
    LinearProjection(site.weight + 1, site.bias + 1).write_back(resnet)
    after = find_site(resnet, "small")
    assert after.bias is not None
    assert torch.equal(after.weight, site.weight + 1)
    assert torch.equal(after.bias, site.bias + 1)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(EvenhandError, match=r"weight has shape \(6, 4\) and bias \(6,\); give weight"):
        LinearProjection(torch.zeros(6, 4), torch.zeros(6))
