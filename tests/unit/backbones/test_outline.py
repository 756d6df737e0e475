"""What a model's name and configuration tell without its weights."""

import json
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from open_clip.model import _build_vision_tower

from evenhand import EvenhandError
from evenhand.backbones.folder import TINY_FOLDER
from evenhand.backbones.from_card import with_model_at
from evenhand.backbones.load import load_backbone
from evenhand.backbones.outline import Outline, outline_of

RESNET = ("attnpool.c_proj", "attnpool")


@pytest.mark.parametrize(
    ("name", "outline"),
    [
        ("ViT-B/32", Outline("ViT-B-32", "open_clip", ("proj",), 768)),
        ("RN50", Outline("RN50", "open_clip", RESNET, 2048)),
        ("ViT-B-16-SigLIP", Outline("ViT-B-16-SigLIP", "open_clip", ("head.proj",))),
        ("coca_ViT-B-32", Outline("coca_ViT-B-32", "open_clip", ("proj",))),
        ("hf-hub:ORG/NAME", Outline("hf-hub:ORG/NAME", "open_clip")),
        ("hf:ORG/NAME", Outline("hf:ORG/NAME", "transformers")),
        ("tiny", Outline("tiny", "open_clip", RESNET, load_backbone("tiny").width)),
    ],
)
def test_a_name_tells_family_sites_and_width(name: str, outline: Outline) -> None:
    assert outline_of(name) == outline


@pytest.mark.parametrize("name", open_clip.list_models())
def test_the_width_is_that_of_the_features(name: str) -> None:
    width = outline_of(name).width
    if width is not None:
        config = open_clip.get_model_config(name)
        with torch.device("meta"):
            tower: Any = _build_vision_tower(config["embed_dim"], config["vision_cfg"])
        assert width == (tower.attnpool.c_proj.in_features if name[:2] == "RN" else tower.proj.shape[0])


@pytest.mark.parametrize(
    ("file", "content", "prefix", "outline"),
    [
        ("open_clip_config.json", {"model_cfg": {"vision_cfg": {"layers": [1]}}}, "local-dir:", RESNET),
        ("open_clip_config.json", {"model_cfg": {"vision_cfg": {"pool_type": "none"}}}, "local-dir:", ()),
        ("open_clip_config.json", {"model_cfg": []}, "local-dir:", ()),
        ("config.json", {"vision_config": {"hidden_size": 32}}, "hf:", 32),
        ("config.json", [], "hf:", None),
    ],
)
def test_a_folder_tells_what_its_configuration_says(
    tmp_path: Path, file: str, content: object, prefix: str, outline: object
) -> None:
    (tmp_path / file).write_text(json.dumps(content))
    found = outline_of(f"{prefix}{tmp_path}")
    assert (found.width if prefix == "hf:" else found.sites) == outline


def test_a_damaged_configuration_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_text("{")
    assert outline_of(str(tmp_path)) == Outline(f"local-dir:{tmp_path}", "open_clip")


@pytest.mark.parametrize("name", ["hf:ORG/NAME", "RN50", "ViT-B-32"])
def test_a_run_refuses_a_name_that_cannot_be_its_model(name: str) -> None:
    card = {"family": "open_clip", "model": "tiny", "pretrained": None, "site": "visual.attnpool"}
    with pytest.raises(EvenhandError, match=f"model: {name} is not the model of the run's store, 'tiny'"):
        with_model_at(card, name)
    assert with_model_at(card, str(TINY_FOLDER))["model"] == f"local-dir:{TINY_FOLDER}"
