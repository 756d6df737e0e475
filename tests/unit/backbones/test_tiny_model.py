"""The embedded CLIP: its files, and that it knows birds and grounds by their words."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from evenhand._typing import Strings
from evenhand.backbones.openclip_model import OpenClipBackbone
from evenhand.backbones.tiny import load_tiny
from evenhand.data.head import Head
from evenhand.datasets.scenes import draw_scene

FOLDER = Path(str(resources.files("evenhand.backbones") / "tiny_model"))
GROUPS = [(bird, ground) for bird in ("landbird", "waterbird") for ground in ("land", "water")]


@pytest.fixture(scope="module")
def backbone() -> OpenClipBackbone:
    return load_tiny()


@pytest.fixture(scope="module")
def scenes(backbone: OpenClipBackbone) -> tuple[torch.Tensor, Strings, Strings]:
    """Features [240, D_in] of balanced scenes, with their birds and grounds."""
    rng = np.random.default_rng(11)
    plan = GROUPS * 60
    pixels = torch.stack([backbone.preprocess(draw_scene(rng, *group)) for group in plan])
    birds, grounds = (np.array(names) for names in zip(*plan, strict=True))
    return backbone.trunk(pixels), birds, grounds


def _accuracy(features: torch.Tensor, head: Head, names: Strings) -> float:
    assert head.bias is not None
    assert head.text is not None
    image = features.numpy() @ head.weight + head.bias
    chosen = np.array(head.classes)[(image @ head.text.T).argmax(axis=1)]
    return float((chosen == names).mean())


def test_the_file_is_float16_and_at_most_ten_megabytes() -> None:
    path = FOLDER / "open_clip_model.safetensors"
    assert path.stat().st_size <= 10_000_000
    with safe_open(path, framework="pt") as weights:
        kinds = {weights.get_tensor(name).dtype for name in weights.keys()}  # noqa: SIM118
    assert kinds <= {torch.float16, torch.int64}


def test_features_are_finite_and_of_the_stated_width(
    backbone: OpenClipBackbone, scenes: tuple[torch.Tensor, Strings, Strings]
) -> None:
    features, *_ = scenes
    assert features.shape == (240, backbone.width)
    assert torch.isfinite(features).all()


def test_words_find_the_bird_clearly_above_chance(
    backbone: OpenClipBackbone, scenes: tuple[torch.Tensor, Strings, Strings]
) -> None:
    features, birds, _ = scenes
    head = backbone.head(["landbird", "waterbird"], {b: [f"a photo of a {b}."] for b in set(birds)})
    assert _accuracy(features, head, birds) > 0.65


def test_words_find_the_ground_better_than_the_bird(
    backbone: OpenClipBackbone, scenes: tuple[torch.Tensor, Strings, Strings]
) -> None:
    features, _, grounds = scenes
    head = backbone.head(["land", "water"], {g: [f"a photo of {g}."] for g in set(grounds)})
    assert _accuracy(features, head, grounds) > 0.9
