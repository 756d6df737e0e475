import open_clip
import pytest
import torch
from open_clip.model import CLIP, _build_vision_tower
from torch import Tensor, nn

from evenhand import EvenhandError
from evenhand.backbones.config_sites import check_config, config_sites
from evenhand.backbones.projection import LinearProjection
from evenhand.backbones.sites import (
    _views,
    find_site,
    write_projection,
    written_config,
)

from .conftest import TOWERS, VIT, small_model


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
    assert torch.allclose(found.projection.embed(h), encoded(model, pixels), atol=1e-4, rtol=1e-4)


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
        assert torch.allclose(encoded(model, pixels), other.embed(h), atol=1e-4, rtol=1e-4)
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
    assert torch.allclose(own, resnet.visual(pixels), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("wrong", ["transposed", "bias"])
def test_a_projection_of_other_shapes_is_refused(vit: CLIP, wrong: str) -> None:
    weight = find_site(vit, "small").projection.weight
    given = (weight.T, None) if wrong == "transposed" else (weight, torch.zeros(32))
    with pytest.raises(EvenhandError, match=r"shapes .* but .* visual\.proj .*write it into the model"):
        write_projection(vit, LinearProjection(*given))


def test_an_unknown_image_tower_is_refused(vit: CLIP) -> None:
    vit.visual = nn.Linear(2, 2)
    with pytest.raises(EvenhandError, match=r"type Linear .*\(visual\.proj\), a ResNet \(visual\.attnpool"):
        find_site(vit, "small")


def test_a_tower_without_pooling_is_refused(vit: CLIP) -> None:
    vit.visual.pool_type = "none"
    with pytest.raises(EvenhandError, match="type VisionTransformer whose projection"):
        find_site(vit, "small")


def test_a_site_of_another_family_is_refused(vit: CLIP, resnet: CLIP) -> None:
    with pytest.raises(EvenhandError, match="site: 'attnpool' is not a site of model 'small'; it has proj"):
        find_site(vit, "small", "attnpool")
    with pytest.raises(EvenhandError, match=r"it has attnpool\.c_proj and attnpool"):
        find_site(resnet, "small", "proj")


@pytest.mark.parametrize("pool", ["abs_attn", "rot_attn"])
def test_an_attention_pool_of_timm_is_refused(vit: CLIP, pool: str) -> None:
    tower = {"timm_model_name": "test_convnext", "timm_pool": pool, "timm_proj": ""}
    with pytest.raises(EvenhandError, match=f"ends in the attention pool {pool}, .*use a ViT"):
        config_sites({"vision_cfg": tower}, "small")
    vit.visual = _build_vision_tower(32, tower)
    with pytest.raises(EvenhandError, match="TimmModel whose projection evenhand does not know; use a ViT"):
        find_site(vit, "small")


def test_a_vector_per_patch_is_refused_by_the_configuration() -> None:
    with pytest.raises(EvenhandError, match="gives a vector per patch; use a ViT"):
        config_sites({"vision_cfg": {"pool_type": "none"}}, "small")


@pytest.mark.parametrize("name", open_clip.list_models())
def test_every_configuration_of_open_clip_has_a_site(name: str) -> None:
    config = open_clip.get_model_config(name)
    tower = config["vision_cfg"]
    found = config_sites(config, name)
    check_config(config, name, found[-1])
    if not tower.get("timm_model_name"):
        wanted = ("attnpool.c_proj", "attnpool") if isinstance(tower["layers"], list) else ("proj",)
    elif name.startswith(("convnext", "swin", "vit_", "ViTamin")):
        wanted = ("head.mlp.fc2",) if "_d" in name else ("head.proj",)
    elif "siglip" in name.lower():
        wanted = ("head.proj",)
    else:
        assert name.startswith(("EVA", "MobileCLIP", "PE-Core"))
        wanted = ("trunk.classifier",)
    assert found == wanted


OWN = ["RN50", "ViT-B-32", "ViT-H-14-CLIPA", "coca_base", "coca_ViT-B-32"]
TIMM = [
    "convnext_base",
    "convnext_large_d",
    "ViTamin-S",
    "EVA02-B-16",
    "MobileCLIP-B",
    "MobileCLIP-S1",
    "PE-Core-T-16-384",
    "ViT-B-16-SigLIP",
]


@pytest.mark.parametrize("name", [*OWN, *TIMM])
def test_the_model_has_the_site_that_its_configuration_tells(name: str) -> None:
    config = open_clip.get_model_config(name)
    with torch.device("meta"):
        model = nn.Module()
        model.visual = _build_vision_tower(config["embed_dim"], config["vision_cfg"])
    for site in config_sites(config, name):
        assert find_shape(model, site)[-1] == config["embed_dim"]


def find_shape(model: nn.Module, site: str) -> tuple[int, ...]:
    """Return the shape of a site's W; meta tensors hold no numbers, so that no `Projection` is made."""
    return tuple(_views(model, site)["weight"].shape)


def test_a_projection_behind_siglip_is_open_clips_linear_map(pixels_of_timm: Tensor) -> None:
    model = small_model("siglip")
    found = find_site(model, "small")
    assert (found.name, torch.equal(found.projection.weight, torch.eye(96))) == ("head.proj", True)
    write_projection(model, found.projection.with_tensors({"weight": torch.randn(96, 96)}))
    tower = written_config({"embed_dim": 96, "vision_cfg": TOWERS["siglip"]})["vision_cfg"]
    assert (tower["timm_proj"], tower["timm_proj_bias"]) == ("linear", False)
    again = _build_vision_tower(96, tower).eval()
    again.load_state_dict(model.visual.state_dict())
    with torch.inference_mode():
        assert torch.equal(again(pixels_of_timm), model.visual(pixels_of_timm))


def test_other_configurations_stay_as_they_are() -> None:
    for tower in (VIT, TOWERS["timm-mlp"], TOWERS["timm-map"], TOWERS["resnet"]):
        config = {"embed_dim": 32, "vision_cfg": tower}
        assert written_config(config) == config


@pytest.fixture
def pixels_of_timm() -> Tensor:
    return torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(1))


def test_a_site_of_another_family_is_refused_by_the_configuration() -> None:
    with pytest.raises(EvenhandError, match="'attnpool' is not a site of model 'ViT-B-32'; it has proj"):
        check_config(open_clip.get_model_config("ViT-B-32"), "ViT-B-32", "attnpool")
