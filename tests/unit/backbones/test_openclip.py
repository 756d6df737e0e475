import io
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.model import CLIP
from PIL import Image
from safetensors.torch import load_file, save_file

from evenhand import EvenhandError, EvenhandWarning
from evenhand.backbones.loaded_model import weights_hash
from evenhand.backbones.openclip import load_openclip
from evenhand.backbones.openclip_model import OpenClipBackbone
from evenhand.backbones.precision import choose_precision
from evenhand.backbones.preprocessing import needs_quick_gelu
from evenhand.functional.geometry import project


@pytest.fixture
def registered(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A name of open_clip's with two tags, one trained with QuickGELU, that need no download."""
    file = str(model_folder / "open_clip_model.safetensors")
    config = open_clip.get_model_config(f"local-dir:{model_folder}")
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "small-vit", config)
    tags = {"quick": {"file": file, "quick_gelu": True}, "plain": {"file": file}}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "small-vit", tags)
    return "small-vit"


def picture() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 40, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("pair", open_clip.list_pretrained(), ids="-".join)
def test_every_tag_gets_the_activation_it_was_trained_with(pair: tuple[str, str]) -> None:
    model, tag = pair
    # An oracle apart from the flag: what was trained with QuickGELU is also listed under a name that says so.
    trained_quick = model.endswith("-quickgelu") or (f"{model}-quickgelu", tag) in open_clip.list_pretrained()
    configured = bool(open_clip.get_model_config(model).get("quick_gelu", False))
    assert (configured or needs_quick_gelu(model, tag)) == (trained_quick or configured)


@pytest.mark.parametrize(("tag", "activation"), [("quick", "QuickGELU"), ("plain", "GELU")])
def test_the_tag_decides_the_activation(registered: str, tag: str, activation: str) -> None:
    assert load_openclip(registered, tag).card()["activation"] == activation


def test_the_activation_changes_the_features(registered: str) -> None:
    pixels = torch.randn(2, 3, 32, 32)
    quick, plain = (load_openclip(registered, tag).trunk(pixels) for tag in ("quick", "plain"))
    assert (quick - plain).abs().max() > 1e-3


def test_a_folder_a_checkpoint_and_a_tag_give_one_model(registered: str, model_folder: Path) -> None:
    folder = load_openclip(f"local-dir:{model_folder}")
    with pytest.warns(EvenhandWarning) as told:
        checkpoint = load_openclip(registered, str(model_folder / "open_clip_model.safetensors"))
    images, activation = (str(note.message) for note in told)
    assert "how images are prepared: mean=0.48145466,0.4578275,0.40821073,std=" in images
    assert "is assumed, as all 2 tags of small-vit have it; if it was trained otherwise" in images
    assert "does not say its activation, and tags of small-vit differ: GELU is assumed" in activation
    tag = load_openclip(registered, "plain")
    assert len({b.card()["weights_sha256"] for b in (folder, checkpoint, tag)}) == 1
    pixels = folder.preprocess(picture())[None]
    assert torch.equal(folder.trunk(pixels), checkpoint.trunk(pixels))


def test_the_head_and_the_trunk_give_what_open_clip_gives(model_folder: Path) -> None:
    name = f"local-dir:{model_folder}"
    model, _, transform = open_clip.create_model_and_transforms(name)
    model.eval()
    backbone = load_openclip(name)
    pixels = backbone.preprocess(picture())[None]
    assert torch.equal(pixels, transform(picture())[None])
    prompts = {"cat": ["a photo of a cat.", "one cat"], "dog": ["a photo of a dog."]}
    head = backbone.head(["dog", "cat"], prompts)
    with torch.inference_mode():
        z = model.encode_image(pixels, normalize=True)
        texts = [
            model.encode_text(open_clip.tokenize(prompts[name]), normalize=True) for name in ("dog", "cat")
        ]
    found = project(backbone.trunk(pixels), torch.from_numpy(head.weight), None)
    assert torch.allclose(found, z, atol=1e-5, rtol=0)
    means = torch.stack([torch.nn.functional.normalize(text.mean(0), dim=0) for text in texts])
    assert head.text is not None
    assert np.allclose(head.text, means.numpy(), atol=1e-5, rtol=0)
    assert head.logit_scale == pytest.approx(model.logit_scale.exp().item())
    assert head.classes == ("dog", "cat")
    assert backbone.width == 48


def test_half_weights_are_computed_in_float32(model_folder: Path) -> None:
    file = model_folder / "open_clip_model.safetensors"
    save_file({name: value.half() for name, value in load_file(file).items()}, file)
    backbone = load_openclip(f"local-dir:{model_folder}")
    assert backbone.trunk(torch.randn(1, 3, 32, 32)).dtype == torch.float32


def test_bfloat16_features_are_near_and_the_card_says_so(model_folder: Path) -> None:
    name, pixels = f"local-dir:{model_folder}", torch.randn(4, 3, 32, 32)
    exact, rough = load_openclip(name), load_openclip(name, precision="bf16")
    assert rough.card()["precision"] == "bf16"
    h, near = exact.trunk(pixels), rough.trunk(pixels)
    assert near.dtype == torch.float32
    assert 0 < (h - near).abs().max() < 0.1


def test_the_weights_hash_depends_on_every_weight_and_its_name(vit: CLIP) -> None:
    first = weights_hash(vit)
    assert weights_hash(vit) == first
    with torch.no_grad():
        vit.logit_scale += 1e-6
    assert weights_hash(vit) != first


def test_loading_leaves_the_root_logger_alone(model_folder: Path) -> None:
    before = (list(logging.getLogger().handlers), logging.root.manager.disable)
    load_openclip(f"local-dir:{model_folder}")
    assert (list(logging.getLogger().handlers), logging.root.manager.disable) == before


def test_auto_is_float32_on_the_cpu() -> None:
    assert choose_precision("auto", "cpu") == "fp32"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"model": "ViT-L14-336", "pretrained": "openai"}, "not known to open_clip.*ViT-L-14-336"),
        ({"model": "§", "pretrained": "openai"}, "not known to open_clip.*such as ViT-B-32"),
        ({"model": "ViT-B-32"}, "needs a checkpoint, or one of its tags: openai"),
        (
            {"model": "ViT-B/32", "pretrained": "opnai"},
            "neither a file nor a tag of ViT-B-32; its tags: openai",
        ),
        ({"model": "local-dir:/no/such"}, "model folder /no/such does not exist or is not a folder"),
        (
            {"model": "ViT-B-32", "precision": "int8"},
            "precision: 'int8' is unknown; the allowed values are auto",
        ),
        ({"model": "ViT-B-32", "device": "gpu"}, "device 'gpu' cannot be used"),
    ],
)
def test_what_open_clip_does_not_know_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        load_openclip(**arguments)


def test_a_folder_without_weights_is_refused(model_folder: Path) -> None:
    (model_folder / "open_clip_model.safetensors").unlink()
    with pytest.raises(EvenhandError, match="has no weights"):
        load_openclip(f"local-dir:{model_folder}")


def test_a_folder_takes_no_tag(model_folder: Path) -> None:
    with pytest.raises(EvenhandError, match="'openai' cannot be used with local-dir"):
        load_openclip(f"local-dir:{model_folder}", "openai")


@pytest.mark.parametrize("damage", ["weights", "config", "empty config"])
def test_a_damaged_folder_is_refused(model_folder: Path, damage: str) -> None:
    name = "open_clip_model.safetensors" if damage == "weights" else "open_clip_config.json"
    (model_folder / name).write_bytes(b"{}" if damage == "empty config" else b"damaged")
    with pytest.raises(EvenhandError, match="cannot be loaded") as caught:
        load_openclip(f"local-dir:{model_folder}")
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_another_model_is_refused(registered: str, tmp_path: Path) -> None:
    save_file({"visual.proj": torch.zeros(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(EvenhandError, match="cannot be loaded"):
        load_openclip(registered, str(tmp_path / "other.safetensors"))


def test_a_pickle_that_runs_code_is_refused(registered: str, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(EvenhandError, match="cannot be loaded"):
        load_openclip(registered, str(tmp_path / "evil.pt"))
    assert not (tmp_path / "ran").exists()


def test_a_folder_that_wants_to_run_code_is_refused(model_folder: Path) -> None:
    path = model_folder / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"]["text_cfg"] |= {
        "hf_tokenizer_name": "hostile",
        "tokenizer_kwargs": {"trust_remote_code": True},
    }
    path.write_text(json.dumps(config))
    hostile = {"auto_map": {"AutoTokenizer": ["hostile.Tokenizer", None]}, "tokenizer_class": "Tokenizer"}
    (model_folder / "tokenizer_config.json").write_text(json.dumps(hostile))
    (model_folder / "hostile.py").write_text(f"open({str(model_folder / 'ran')!r}, 'w')\n")
    with pytest.raises(EvenhandError, match=r"asks in open_clip_config\.json to run code of its own"):
        load_openclip(f"local-dir:{model_folder}")
    assert not (model_folder / "ran").exists()


def test_words_that_are_no_text_are_refused(model_folder: Path) -> None:
    (model_folder / "words.txt").write_bytes(b"\xff")
    with pytest.raises(EvenhandError, match=r"words\.txt is not UTF-8 text; save it as UTF-8"):
        load_openclip(f"local-dir:{model_folder}")


def test_nobody_is_asked_anything(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("open_clip.create_model_and_transforms", lambda *_, **__: input("run it? [y/N] "))
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(EvenhandError, match="cannot be loaded: EOF when reading a line"):
        load_openclip(f"local-dir:{model_folder}")


def test_an_unknown_site_is_refused_by_the_backbone_too(vit: CLIP) -> None:
    vit.visual.pool_type = "none"
    with pytest.raises(EvenhandError, match="evenhand does not know; use a ViT"):
        OpenClipBackbone(vit, "small", None, transform=None, tokenizer=None)


@pytest.fixture
def checkpoint(registered: str, model_folder: Path) -> tuple[str, str]:
    torch.save(
        {"state_dict": {f"model.{k}": v for k, v in load_file(file_of(model_folder)).items()}},
        model_folder / "m.ckpt",
    )
    return registered, str(model_folder / "m.ckpt")


def file_of(folder: Path) -> Path:
    return folder / "open_clip_model.safetensors"


def test_a_checkpoint_with_a_prefix_is_the_same_model(checkpoint: tuple[str, str]) -> None:
    with pytest.warns(EvenhandWarning):
        found = load_openclip(*checkpoint)
    assert found.card()["weights_sha256"] == load_openclip(checkpoint[0], "plain").card()["weights_sha256"]


def test_what_is_given_reaches_the_model_and_its_card(checkpoint: tuple[str, str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load_openclip(
            *checkpoint,
            preprocess="mean=0.5,std=0.25,interpolation=bilinear,resize_mode=squash",
            activation="quickgelu",
        )
    assert found.preprocessing()["std"] == [0.25] * 3
    card = found.card()
    assert card["activation"] == "QuickGELU"
    again = load_openclip(*checkpoint, preprocess=card["preprocess"], activation="quickgelu")
    assert again.card() == card


@pytest.mark.parametrize(
    ("preprocess", "expected"),
    [(None, 32), ("size=48", 48), ("size=40,48", 48), ("size=48,resize_mode=longest", 48)],
)
def test_what_images_are_resized_to(model_folder: Path, preprocess: str | None, expected: int) -> None:
    assert load_openclip(f"local-dir:{model_folder}", preprocess=preprocess).resized_to == expected


def test_an_image_size_is_given_by_preprocess(checkpoint: tuple[str, str]) -> None:
    with pytest.warns(EvenhandWarning):
        found = load_openclip(*checkpoint, preprocess="size=48")
    assert found.preprocess(picture()).shape == (3, 48, 48)
    assert found.config is not None
    assert found.config["vision_cfg"]["image_size"] == 48
    assert found.trunk(found.preprocess(picture())[None]).shape == (1, 48)


def test_weights_for_another_image_size_are_refused(checkpoint: tuple[str, str], model_folder: Path) -> None:
    tensors = load_file(file_of(model_folder))
    tensors["visual.positional_embedding"] = torch.zeros(1 + 6 * 6, 48)
    save_file(tensors, model_folder / "m.ckpt")
    with pytest.raises(EvenhandError, match="of 48 pixels, but the model takes 32; give `preprocess='size"):
        load_openclip(*checkpoint)


def test_an_unknown_activation_is_refused(checkpoint: tuple[str, str]) -> None:
    with pytest.raises(
        EvenhandError, match="activation: 'relu' is unknown; the allowed values are gelu, quickgelu"
    ):
        load_openclip(*checkpoint, activation="relu")


def test_a_folder_as_a_checkpoint_says_how_to_name_it(registered: str, model_folder: Path) -> None:
    with pytest.raises(EvenhandError, match=r"is a folder; name its file .* or `model='hf:"):
        load_openclip(registered, str(model_folder))


def test_a_folder_of_transformers_says_how_to_name_it(model_folder: Path) -> None:
    (model_folder / "open_clip_config.json").rename(model_folder / "config.json")
    with pytest.raises(EvenhandError, match="it holds a model of transformers: name it hf:"):
        load_openclip(f"local-dir:{model_folder}")


def test_a_hub_that_is_not_reached_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise ConnectionError("Cannot reach the hub: offline mode is enabled")

    monkeypatch.setattr("open_clip.factory.download_pretrained_from_hf", offline)
    with pytest.raises(
        EvenhandError, match=r"the Hub cannot be reached; download it .*local-dir:FOLDER for one"
    ):
        load_openclip("hf-hub:laion/CLIP")
    with pytest.raises(EvenhandError, match="'openai' cannot be used with hf-hub:laion/CLIP"):
        load_openclip("hf-hub:laion/CLIP", "openai")
