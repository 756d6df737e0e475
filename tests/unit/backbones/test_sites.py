import open_clip
import pytest
import torch
from open_clip.model import CLIP
from torch import Tensor, nn

from evenhand import EvenhandError
from evenhand.backbones.sites import check_config, find_site, write_projection
from evenhand.functional.geometry import project


def encoded(model: CLIP, pixels: Tensor) -> Tensor:
    out = model.visual(pixels)
    return nn.functional.normalize(out[0] if isinstance(out, tuple) else out, dim=-1)


@torch.inference_mode()
def test_projected_trunk_features_are_what_encode_image_gives(model: CLIP, pixels: Tensor) -> None:
    site = find_site(model, "small")
    h = site.trunk(pixels)
    assert h.shape == (len(pixels), len(site.weight))
    assert torch.allclose(project(h, site.weight, site.bias), encoded(model, pixels), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_float16_features_change_the_projection_by_less_than_1e_3(model: CLIP, pixels: Tensor) -> None:
    site = find_site(model, "small")
    h = site.trunk(pixels)
    stored = project(h.half().float(), site.weight, site.bias)
    assert (stored - project(h, site.weight, site.bias)).abs().max() < 1e-3


def test_finding_the_site_leaves_the_model_as_it_was(model: CLIP, pixels: Tensor) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.inference_mode():
        expected = encoded(model, pixels)
        find_site(model, "small").trunk(pixels)
        assert torch.equal(encoded(model, pixels), expected)
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_a_written_projection_is_used_by_the_model(model: CLIP, pixels: Tensor) -> None:
    site = find_site(model, "small")
    weight = torch.randn_like(site.weight)
    bias = None if site.bias is None else torch.randn_like(site.bias)
    with torch.inference_mode():
        h = site.trunk(pixels)
    write_projection(model, weight, bias)
    with torch.inference_mode():
        assert torch.allclose(encoded(model, pixels), project(h, weight, bias), atol=1e-5, rtol=0)
    # The site was read before: what it holds is a copy.
    assert not torch.equal(site.weight, weight)


@pytest.mark.parametrize("wrong", ["transposed", "bias"])
def test_a_projection_of_other_shapes_is_refused(vit: CLIP, wrong: str) -> None:
    weight = find_site(vit, "small").weight
    given = (weight.T, None) if wrong == "transposed" else (weight, torch.zeros(32))
    with pytest.raises(EvenhandError, match=r"shapes .* but visual\.proj has .*write it into the model"):
        write_projection(vit, *given)


def test_an_unknown_image_tower_is_refused(vit: CLIP) -> None:
    vit.visual = nn.Linear(2, 2)
    with pytest.raises(EvenhandError, match=r"type Linear .*\(visual\.proj\) or ResNet \(visual\.attnpool"):
        find_site(vit, "small")


def test_a_tower_without_pooling_is_refused(vit: CLIP) -> None:
    vit.visual.pool_type = "none"
    with pytest.raises(EvenhandError, match="type VisionTransformer whose projection"):
        find_site(vit, "small")


@pytest.mark.parametrize("name", ["convnext_base", "ViT-B-16-SigLIP", "EVA02-B-16"])
def test_a_timm_tower_is_refused_by_its_configuration(name: str) -> None:
    with pytest.raises(EvenhandError, match="has the timm image tower"):
        check_config(open_clip.get_model_config(name), name)


def test_known_towers_pass_by_their_configuration() -> None:
    for name in ("ViT-L-14-336", "RN50", "coca_ViT-B-32"):
        check_config(open_clip.get_model_config(name), name)
