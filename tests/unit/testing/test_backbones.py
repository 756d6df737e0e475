from typing import Any

import open_clip
import pytest
import torch
from open_clip.model import CLIP
from open_clip.transform import image_transform
from PIL import Image
from torch import Tensor

from evenhand.backbones.openclip_model import OpenClipBackbone
from evenhand.testing.backbones import check_backbone

TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
VIT = {"image_size": 32, "patch_size": 8, "width": 48, "head_width": 16, "layers": 2}
RESNET = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16}


def small(tower: dict[str, Any], site: str | None = None) -> tuple[CLIP, OpenClipBackbone]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = CLIP(embed_dim=32, vision_cfg=tower, text_cfg=TEXT)
    transform = image_transform(tower["image_size"], is_train=False)
    return model, OpenClipBackbone(
        model, "small", None, transform=transform, tokenizer=open_clip.tokenize, site=site
    )


@pytest.mark.parametrize(
    ("tower", "site"),
    [(VIT, None), (RESNET, None), (RESNET, "attnpool")],
    ids=["vit", "resnet", "attention pool"],
)
def test_our_backbones_pass(tower: dict[str, Any], site: str | None) -> None:
    model, backbone = small(tower, site)
    check_backbone(backbone, model.encode_image)


class Faulty:
    """A good backbone with one fault."""

    def __init__(self, good: OpenClipBackbone, fault: str) -> None:
        self.good, self.fault, self.passes = good, fault, 0
        self.name, self.preprocess, self.width = good.name, good.preprocess, good.width

    def trunk(self, pixels: Tensor) -> Tensor:
        self.passes += 1
        h = self.good.trunk(pixels)
        if self.fault == "dropout":
            return h * self.passes
        if self.fault == "batch":
            return h - h.mean(dim=0)
        if self.fault == "width":
            return h[:, 1:]
        if self.fault == "double":
            return h.double()
        return h * torch.nan if self.fault == "nan" else h

    def prepare(self, image: Image.Image) -> Tensor:
        return self.good.prepare(image) // (2 if self.fault == "colors" else 1)

    def head(self, classes: Any, prompts: Any) -> Any:
        return self.good.head(sorted(classes) if self.fault == "order" else classes, prompts)

    def card(self) -> dict[str, Any]:
        return {**self.good.card(), "passes": self.passes if self.fault == "card" else 0}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("dropout", "two passes over the same pixels differ"),
        ("batch", "features depend on the batch"),
        ("width", r"not \[B, width\]"),
        ("double", "not float32"),
        ("nan", "not finite"),
        ("colors", "`prepare` and `preprocess` give other features"),
        ("order", "the head has other classes"),
        ("card", "a pass changes the card"),
    ],
)
def test_a_fault_is_found(fault: str, told: str) -> None:
    _, good = small(VIT)
    with pytest.raises(AssertionError, match=told):
        check_backbone(Faulty(good, fault))


def test_a_projection_of_another_model_is_found() -> None:
    _, backbone = small(VIT)
    with pytest.raises(AssertionError, match="does not give encode_image"):
        check_backbone(backbone, lambda pixels: torch.ones(len(pixels), 32))
