import open_clip
import pytest
import torch
from open_clip.model import CLIP
from torch import Tensor, nn

from evenhand import EvenhandError
from evenhand.backbones.projection import LinearProjection
from evenhand.backbones.sites import check_config, find_site, write_projection


def encoded(model: CLIP, pixels: Tensor) -> Tensor:
    out = model.visual(pixels)
    return nn.functional.normalize(out[0] if isinstance(out, tuple) else out, dim=-1)


@torch.inference_mode()
def test_projected_trunk_features_are_what_encode_image_gives(
    model: CLIP, site: str | None, pixels: Tensor
) -> None:
    found = find_site(model, "small", site)
    h = found.trunk(pixels)
    assert h.shape == (len(pixels), found.projection.width)
    assert torch.allclose(found.projection.embed(h), encoded(model, pixels), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_float16_features_change_the_projection_by_less_than_1e_3(
    model: CLIP, site: str | None, pixels: Tensor
) -> None:
    found = find_site(model, "small", site)
    h = found.trunk(pixels)
    stored = found.projection.embed(h.half().float())
    assert (stored - found.projection.embed(h)).abs().max() < 1e-3


def test_finding_the_site_leaves_the_model_as_it_was(model: CLIP, site: str | None, pixels: Tensor) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.inference_mode():
        expected = encoded(model, pixels)
        find_site(model, "small", site).trunk(pixels)
        assert torch.equal(encoded(model, pixels), expected)
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_a_written_projection_is_used_by_the_model(model: CLIP, site: str | None, pixels: Tensor) -> None:
    found = find_site(model, "small", site)
    tensors = {name: torch.randn_like(tensor) for name, tensor in found.projection.tensors().items()}
    other = found.projection.with_tensors(tensors)
    with torch.inference_mode():
        h = found.trunk(pixels)
    write_projection(model, other)
    with torch.inference_mode():
        assert torch.allclose(encoded(model, pixels), other.embed(h), atol=1e-5, rtol=0)
    # The site was read before: what it holds is a copy.
    assert not torch.equal(found.projection.weight, other.weight)
    again = find_site(model, "small", site).projection.tensors()
    assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())


def test_the_features_of_a_whole_attention_pool_are_the_flattened_map(resnet: CLIP) -> None:
    pixels = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        found = find_site(resnet, "small", "attnpool").trunk(pixels)
        resnet.visual.attnpool = nn.Identity()
        assert torch.equal(found, resnet.visual(pixels).flatten(1))


@torch.inference_mode()
def test_the_pool_and_its_last_map_are_open_clips(resnet: CLIP) -> None:
    found = find_site(resnet, "small", "attnpool")
    pixels = torch.randn(3, 3, 64, 64)
    own = found.projection.pool(found.trunk(pixels)) @ found.projection.weight + found.projection.bias
    assert torch.allclose(own, resnet.visual(pixels), atol=1e-5, rtol=0)


@pytest.mark.parametrize("wrong", ["transposed", "bias"])
def test_a_projection_of_other_shapes_is_refused(vit: CLIP, wrong: str) -> None:
    weight = find_site(vit, "small").projection.weight
    given = (weight.T, None) if wrong == "transposed" else (weight, torch.zeros(32))
    with pytest.raises(EvenhandError, match=r"shapes .* but .* visual\.proj .*write it into the model"):
        write_projection(vit, LinearProjection(*given))


def test_an_unknown_image_tower_is_refused(vit: CLIP) -> None:
    vit.visual = nn.Linear(2, 2)
    with pytest.raises(EvenhandError, match=r"type Linear .*\(visual\.proj\) or ResNet \(visual\.attnpool"):
        find_site(vit, "small")


def test_a_tower_without_pooling_is_refused(vit: CLIP) -> None:
    vit.visual.pool_type = "none"
    with pytest.raises(EvenhandError, match="type VisionTransformer whose projection"):
        find_site(vit, "small")


def test_a_site_of_another_family_is_refused(vit: CLIP, resnet: CLIP) -> None:
    with pytest.raises(EvenhandError, match="--site 'attnpool' is none of model 'small'; it has proj"):
        find_site(vit, "small", "attnpool")
    with pytest.raises(EvenhandError, match=r"it has attnpool\.c_proj and attnpool"):
        find_site(resnet, "small", "proj")


@pytest.mark.parametrize("name", ["convnext_base", "ViT-B-16-SigLIP", "EVA02-B-16"])
def test_a_timm_tower_is_refused_by_its_configuration(name: str) -> None:
    with pytest.raises(EvenhandError, match="has the timm image tower"):
        check_config(open_clip.get_model_config(name), name)


def test_a_site_of_another_family_is_refused_by_the_configuration() -> None:
    with pytest.raises(EvenhandError, match="'attnpool' is none of model 'ViT-B-32'; it has proj"):
        check_config(open_clip.get_model_config("ViT-B-32"), "ViT-B-32", "attnpool")


def test_known_towers_pass_by_their_configuration() -> None:
    for name in ("ViT-L-14-336", "RN50", "coca_ViT-B-32"):
        check_config(open_clip.get_model_config(name), name)
    check_config(open_clip.get_model_config("RN50"), "RN50", "attnpool")
