"""A folder of small pictures, and a backbone that needs no model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from evenhand.data.head import Head
from evenhand.data.manifest import Manifest

COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200)}


class ColourBackbone:
    """Features are the mean colour and its squares; counts the pictures that go through its trunk."""

    name, width = "colour", 6

    def __init__(self, precision: str = "fp32") -> None:
        self.seen = 0
        self.precision = precision

    def preprocess(self, image: Image.Image) -> Tensor:
        pixels = np.asarray(image.resize((4, 4)), dtype=np.float32) / 255
        return torch.from_numpy(pixels).permute(2, 0, 1)

    def trunk(self, pixels: Tensor) -> Tensor:
        self.seen += len(pixels)
        mean = pixels.mean(dim=(2, 3))
        return torch.cat([mean, mean**2], dim=1)

    def head(self, classes: Sequence[str], prompts: Mapping[str, Sequence[str]]) -> Head:
        chosen = {name: list(prompts[name]) for name in classes}
        eye = np.eye(6, dtype=np.float32)
        return Head(eye, None, tuple(classes), eye[: len(classes)], 10.0, chosen)

    def card(self) -> dict[str, Any]:
        return {"model": self.name, "precision": self.precision}


@pytest.fixture
def backbone() -> ColourBackbone:
    return ColourBackbone()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten pictures of each of two classes, all different."""
    folder = tmp_path / "photos"
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for k in range(10):
            Image.new("RGB", (100 + k, 50), tuple(c + k for c in colour)).save(folder / name / f"{k} ü.png")
    return folder


@pytest.fixture
def manifest(photos: Path) -> Manifest:
    return Manifest.read(photos)
