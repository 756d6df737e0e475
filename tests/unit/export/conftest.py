"""Runs on small models with random weights, one for each kind of image tower and head."""

import json
from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from open_clip.coca_model import CoCa
from open_clip.model import CLIP
from PIL import Image
from safetensors.torch import save_file

from evenhand import Manifest, embed, fit_run
from evenhand.backbones.load import load_backbone

TEXT = {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
VIT = {"image_size": 32, "patch_size": 8, "width": 48, "head_width": 16, "layers": 2}
DECODER = {**TEXT, "attn_pooler_heads": 4}
# Three classes, and two prompts of each, so that prototypes are no single embedding.
TEMPLATES = ["a photo of a {}.", "one {}"]
# Of an export's cosines from the run's at most: logits to 1e-5 at these models' scale of 14, 1e-4 at 100.
COSINES = 7e-7
CLASSES = ("cat", "dog", "jay bird")


def timm(name: str, size: int = 64, **more: Any) -> dict[str, Any]:
    return {"embed_dim": 32, "vision_cfg": {"timm_model_name": name, "image_size": size, **more}}


MODELS: dict[str, dict[str, Any]] = {
    "vit": {"embed_dim": 32, "vision_cfg": VIT, "quick_gelu": True},
    "vit-gelu": {"embed_dim": 32, "vision_cfg": VIT},
    # The logit scale of pretrained CLIP.
    "vit-sharp": {"embed_dim": 32, "vision_cfg": VIT, "init_logit_scale": log(100)},
    "vit-average": {"embed_dim": 32, "vision_cfg": {**VIT, "pool_type": "avg"}},
    "resnet": {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16},
    },
    "timm-linear": timm("test_convnext", timm_pool=""),
    "timm-mlp": timm("test_convnext", timm_pool="", timm_proj="mlp"),
    "timm-classifier": timm("test_byobnet", timm_proj=None),
    "timm-map": timm("test_vit3", 160, timm_pool="map", timm_proj=None),
    "siglip": {
        **timm("test_vit3", 160, timm_pool="map", timm_proj="none"),
        "embed_dim": 96,
        "init_logit_bias": -10,
    },
    "coca": {
        "embed_dim": 32,
        "vision_cfg": {**VIT, "attentional_pool": True, "attn_pooler_heads": 4, "output_tokens": True},
        "multimodal_cfg": {"context_length": 24, "width": 32, "heads": 2, "layers": 1, "vocab_size": 49408},
        "custom_text": True,
    },
}


def write_model(kind: str, folder: Path) -> Path:
    """Write a small model with random weights as open_clip's folder."""
    config = {**MODELS[kind], "text_cfg": TEXT}
    if kind == "coca":
        config["text_cfg"] = {**TEXT, "embed_cls": True, "output_tokens": True}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        arguments = {name: value for name, value in config.items() if name != "custom_text"}
        model = (CoCa if kind == "coca" else CLIP)(**arguments)
        for name, parameter in model.named_parameters():
            if name.endswith("bias") and parameter.ndim:
                torch.nn.init.normal_(parameter, std=0.5)
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": {"interpolation": "bilinear"}})
    )
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / "open_clip_model.safetensors")
    return folder


def write_photos(folder: Path) -> Path:
    """Write 36 noise pictures of three classes, each class with a colour."""
    generator = np.random.default_rng(0)
    for row in range(36):
        name = CLASSES[row % 3]
        pixels = generator.integers(0, 200, (40, 56, 3), dtype=np.uint8)
        pixels[..., row % 3] += 55
        place = folder / ("train" if row < 24 else "test") / name
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{row}.png")
    return folder


MakeRun = Callable[..., Path]


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Return the run of a model, a method and a site, made once in a session."""
    root = tmp_path_factory.mktemp("runs")
    photos = write_photos(root / "photos")
    made: dict[tuple[str, str, str | None], Path] = {}

    def make(model: str, method: str = "erm", site: str | None = None) -> Path:
        key = (model, method, site)
        if key not in made:
            name = model
            if model in MODELS:
                folder = root / "models" / model
                name = f"local-dir:{folder if folder.exists() else write_model(model, folder)}"
            run = root / f"run-{len(made)}"
            table = embed(
                Manifest.read(photos),
                load_backbone(name, site=site),
                root / f"store-{len(made)}",
                templates=TEMPLATES,
                workers=0,
                thumbnails=False,
                dtype="float32",
            )
            params = {"learning_rate": 0.05, "epochs": 5} if method == "erm" else None
            fit_run(table, method=method, out=run, params=params)
            made[key] = run
        return made[key]

    return make
