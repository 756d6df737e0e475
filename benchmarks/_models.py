"""open_clip models with random weights, and drawn images to send through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.model import CLIP
from torch import Tensor

from evenhand.backbones import OpenClipBackbone
from evenhand.data import Manifest
from evenhand.data.images.decode import read_image
from evenhand.datasets.scenes import write_scenes


def random_clip(name: str) -> CLIP:
    """Return the open_clip model `name` with weights drawn from seed 0."""
    config: dict[str, Any] = open_clip.get_model_config(name)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return CLIP(**config).eval()


def random_backbone(name: str, precision: str = "fp32") -> OpenClipBackbone:
    """Return `random_clip(name)` behind the contract that `embed` takes."""
    model = random_clip(name)
    transform = open_clip.image_transform(model.visual.image_size, is_train=False)
    return OpenClipBackbone(
        model,
        name,
        "random",
        transform=transform,
        tokenizer=open_clip.get_tokenizer(name),
        precision=precision,
    )


def scenes(folder: Path, images: int) -> Manifest:
    """Draw `images` scenes, a quarter of them for the test split, and return their manifest."""
    test = images // 4
    return Manifest.read(write_scenes(folder, seed=0, train=images - test, test=test))


def decoded(manifest: Manifest, backbone: OpenClipBackbone, batch_size: int) -> list[Tensor]:
    """Return all pixels in memory, batch by batch."""
    pixels = torch.stack([backbone.preprocess(read_image(Path(path))) for path in manifest.paths])
    return list(torch.split(pixels, batch_size))
