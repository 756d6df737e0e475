"""Models of transformers, small and random, behind the same contract as open_clip's."""

import io
import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from tests.small_hf import ENDS, KINDS, LENGTH, TEXT, VISION, write_hf
from torch import nn

from evenhand import EvenhandError
from evenhand.backbones.load import load_backbone
from evenhand.backbones.projection import LinearProjection
from evenhand.backbones.transformers import HfBackbone, load_hf, write_hf_projection
from evenhand.testing.backbones import check_backbone


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def backbone(kind: str, tmp_path: Path) -> HfBackbone:
    found = load_backbone(f"hf:{write_hf(kind, tmp_path / kind)}")
    assert isinstance(found, HfBackbone)
    return found


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_code_of_a_folder_is_never_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_hf("clip", tmp_path / "clip")
    kinds = ("AutoConfig", "AutoModel", "AutoImageProcessor")
    hostile = {
        "auto_map": dict.fromkeys(kinds, "hostile.Own"),
        "model_type": "own",
        "image_processor_type": "Own",
    }
    (folder / name).write_text(json.dumps(hostile))
    (folder / "hostile.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\ny\n"))
    with pytest.raises(EvenhandError, match=r"cannot be loaded: .*custom code"):
        load_backbone(f"hf:{folder}")
    assert not (tmp_path / "ran").exists()


def test_it_passes_the_checks_of_every_backbone(backbone: HfBackbone, kind: str) -> None:
    def encode_image(pixels: torch.Tensor) -> torch.Tensor:
        # The pictures of `check_shapes`, as transformers itself takes them.
        generator = np.random.default_rng(0)
        sizes = [(48, 64), (200, 90), (17, 17)]
        arrays = [generator.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
        inputs = backbone.images(images=[Image.fromarray(array) for array in arrays], return_tensors="pt")
        found = backbone.model.get_image_features(**inputs)
        return found if isinstance(found, torch.Tensor) else found.pooler_output

    check_backbone(backbone, encode_image)


def test_what_images_are_resized_to(backbone: HfBackbone, kind: str) -> None:
    # The patches of SigLIP 2 go by the size of the image.
    assert backbone.resized_to == (None if kind == "siglip2" else 32)
    for setting, value in (("resample", Image.Resampling.NEAREST), ("do_resize", False)):
        before = getattr(backbone.images, setting)
        setattr(backbone.images, setting, value)
        assert backbone.resized_to is None
        setattr(backbone.images, setting, before)


def test_the_card_tells_what_it_is(backbone: HfBackbone, kind: str, tmp_path: Path) -> None:
    card = backbone.card()
    assert card["model"] == f"hf:{tmp_path / kind}"
    assert card["site"] == ("visual_projection" if kind == "clip" else "identity")
    assert card["activation"] == ("quick_gelu" if kind == "clip" else "gelu_pytorch_tanh")
    assert len(card["weights_sha256"]) == 64
    assert backbone.width == 48


def test_the_head_is_the_models_text(backbone: HfBackbone, kind: str, tmp_path: Path) -> None:
    head = backbone.head(["cat", "dog"], {"cat": ["a photo of a cat."], "dog": ["a photo of a dog."]})
    # Not the one above: transformers reads SigLIP 2's by a class of its own.
    own = transformers.AutoTokenizer.from_pretrained(tmp_path / kind)
    prompts = ["a photo of a cat.", "a photo of a dog."]
    tokens = own(prompts, padding="max_length", max_length=16, return_tensors="pt")
    with torch.inference_mode():
        found = backbone.model.get_text_features(**tokens)
    text = nn.functional.normalize(found if isinstance(found, torch.Tensor) else found.pooler_output, dim=-1)
    assert torch.allclose(torch.tensor(head.text), text, atol=1e-5)
    assert head.logit_scale == pytest.approx(backbone.model.logit_scale.exp().item())


def test_a_projection_is_written_where_clip_has_it(tmp_path: Path) -> None:
    backbone = load_hf(f"hf:{write_hf('clip', tmp_path)}")
    other = LinearProjection(torch.randn(48, 24))
    write_hf_projection(backbone.model, other)
    again = HfBackbone(backbone.model, "x", images=backbone.images, tokenizer=None)
    assert torch.equal(again.site.projection.weight, other.weight)
    with pytest.raises(EvenhandError, match=r"shapes {'weight': \(24, 48\)} but visual_projection"):
        write_hf_projection(backbone.model, LinearProjection(other.weight.T))


@pytest.mark.parametrize("kind", ["siglip"])
def test_a_tower_without_a_projection_takes_none(backbone: HfBackbone) -> None:
    with pytest.raises(EvenhandError, match="its image tower ends without a projection"):
        write_hf_projection(backbone.model, backbone.site.projection)


def test_what_is_not_known_is_refused(tmp_path: Path) -> None:
    folder = write_hf("siglip", tmp_path / "m")
    with pytest.raises(
        EvenhandError, match=r"site: 'attnpool' is not a site of model 'hf:.*'; it has identity"
    ):
        load_backbone(f"hf:{folder}", site="attnpool")
    with pytest.raises(EvenhandError, match="pretrained: 'openai' cannot be used with model hf:"):
        load_backbone(f"hf:{folder}", "openai")
    with pytest.raises(EvenhandError, match=r"model 'hf:.*none' cannot be loaded"):
        load_backbone(f"hf:{tmp_path / 'none'}")
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(EvenhandError, match=r"cannot be loaded") as caught:
        load_backbone(f"hf:{folder}")
    assert "\n" not in str(caught.value)
    transformers.ViTConfig().save_pretrained(tmp_path / "vit")
    with pytest.raises(
        EvenhandError, match="is of the type vit; the allowed values are clip, siglip, siglip2"
    ):
        load_backbone(f"hf:{tmp_path / 'vit'}")


def test_a_vector_per_patch_is_refused() -> None:
    config = transformers.SiglipConfig(
        text_config={**TEXT, **LENGTH, **ENDS},
        vision_config={**VISION, "image_size": 32, "patch_size": 8, "vision_use_head": False},
    )
    with pytest.raises(EvenhandError, match="gives a vector per patch; use one whose vision_use_head"):
        HfBackbone(transformers.SiglipModel(config), "small", images=None, tokenizer=None)


@pytest.mark.parametrize("kind", ["clip"])
def test_a_processor_that_does_not_normalise_gives_the_picture_itself(backbone: HfBackbone) -> None:
    backbone.images.do_normalize = False
    pixels = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(backbone.picture(pixels), pixels)


def test_loading_leaves_the_logger_of_transformers_alone(tmp_path: Path) -> None:
    before = logging.getLogger("transformers").level
    load_hf(f"hf:{write_hf('clip', tmp_path)}")
    assert logging.getLogger("transformers").level == before


@pytest.mark.parametrize(
    ("absent", "sentence"),
    [
        (
            ["preprocessor_config.json"],
            "lacks preprocessor_config.json or processor_config.json, which",
        ),
        (["tokenizer.json"], r"lacks tokenizer\.json or .*; copy them from the base model"),
        (["model.safetensors"], "has no weights"),
    ],
)
def test_a_folder_that_lacks_a_part_names_it(absent: list[str], sentence: str, tmp_path: Path) -> None:
    folder = write_hf("clip", tmp_path / "m")
    for name in absent:
        (folder / name).unlink()
    with pytest.raises(EvenhandError, match=sentence):
        load_hf(f"hf:{folder}")


def test_an_adapter_is_no_model(tmp_path: Path) -> None:
    folder = write_hf("clip", tmp_path / "m")
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(EvenhandError, match=r"holds an adapter .* merge it with merge_and_unload"):
        load_hf(f"hf:{folder}")


def test_a_tokenizer_without_padding_is_refused(tmp_path: Path) -> None:
    folder = write_hf("clip", tmp_path / "m")
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != "pad_token"}))
    with pytest.raises(EvenhandError, match="has no padding token, which prompts of several lengths need"):
        load_hf(f"hf:{folder}")


@pytest.mark.parametrize("place", [(), ("text_config",), ("vision_config",)])
@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
def test_a_kernel_of_the_hub_is_never_asked_for(place: tuple[str, ...], key: str, tmp_path: Path) -> None:
    folder = write_hf("clip", tmp_path / "m")
    config = json.loads((folder / "config.json").read_text())
    (config[place[0]] if place else config)[key] = "kernels-community/flash-attn"
    (folder / "config.json").write_text(json.dumps(config))
    backbone = load_backbone(f"hf:{folder}")
    assert isinstance(backbone, HfBackbone)
    for part in (backbone.model, backbone.model.vision_model, backbone.model.text_model):
        assert part.config._attn_implementation == "sdpa"


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("preprocessor_config.json", "image_std", [0, 0, 0]),
        ("preprocessor_config.json", "image_mean", ["a", 0, 0]),
        ("preprocessor_config.json", "size", {"shortest_edge": -4}),
        ("preprocessor_config.json", "crop_size", {"height": 10**9, "width": 10**9}),
        ("config.json", "vision_config", {"hidden_size": 10**9}),
        ("config.json", "text_config", {"num_hidden_layers": 10**9}),
        ("config.json", "text_config", "small"),
        ("tokenizer_config.json", "tokenizer_class", ["odd"]),
    ],
)
def test_hostile_settings_are_one_sentence(part: str, key: str, value: object, tmp_path: Path) -> None:
    folder = write_hf("clip", tmp_path / "m")
    path = folder / part
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(EvenhandError) as caught:
        load_backbone(f"hf:{folder}")
    assert "\n" not in str(caught.value)
