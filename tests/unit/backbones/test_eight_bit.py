"""Images as 8-bit colors until the model sees them: the same bits as the whole transform."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from open_clip.transform import image_transform
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, Grayscale, Normalize, ToTensor

from evenhand.backbones.eight_bit import EightBit
from evenhand.backbones.openclip import load_openclip
from evenhand.backbones.openclip_model import OpenClipBackbone


@pytest.fixture
def backbone(model_folder: Path) -> OpenClipBackbone:
    return load_openclip(f"local-dir:{model_folder}")


def pictures() -> list[Image.Image]:
    generator = np.random.default_rng(0)
    sizes = [(48, 64), (200, 90), (17, 17)]
    return [Image.fromarray(generator.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("size", [32, (24, 40)])
def test_colors_become_what_the_transform_gives(mode: str, size: int | tuple[int, int]) -> None:
    transform = image_transform(size, False, mean=(0.1, 0.5, 0.7), std=(0.3, 0.2, 0.9), resize_mode=mode)
    assert EightBit.splits(transform)
    steps = EightBit(transform)
    for some in (pictures(), pictures()[:1], pictures()[1:]):
        colors = torch.stack([steps.colors(image) for image in some])
        assert colors.dtype == torch.uint8
        pixels = steps.pixels(colors)
        assert torch.equal(pixels, torch.stack([transform(image) for image in some]))
        assert pixels.is_contiguous(memory_format=torch.channels_last)


def test_another_process_gets_room_of_its_own() -> None:
    transform = image_transform(32, False)
    steps = EightBit(transform)
    colors = torch.stack([steps.colors(image) for image in pictures()])
    pixels = steps.pixels(colors).clone()
    buffers: list[pickle.PickleBuffer] = []
    sent = pickle.dumps(steps, protocol=5, buffer_callback=buffers.append)
    received = pickle.loads(sent, buffers=[bytes(buffer) for buffer in buffers])  # noqa: S301
    assert torch.equal(received.pixels(colors), pixels)
    assert len(sent) + sum(buffer.raw().nbytes for buffer in buffers) < pixels.nbytes


def test_one_mean_serves_all_colors() -> None:
    transform = Compose([CenterCrop(16), ToTensor(), Normalize(0.4, 0.3)])
    (picture, *_) = pictures()
    steps = EightBit(transform)
    assert torch.equal(steps.pixels(steps.colors(picture)[None])[0], transform(picture))


@pytest.mark.parametrize(
    "transform",
    [
        Compose([ToTensor()]),
        Compose([Normalize(0.5, 0.5), ToTensor()]),
        Compose([ToTensor(), Normalize(0.5, 0.5), CenterCrop(8)]),
        CenterCrop(8),
    ],
)
def test_other_transforms_are_not_split(transform: object) -> None:
    assert not EightBit.splits(transform)


def test_the_trunk_takes_colors_and_pixels_alike(backbone: OpenClipBackbone) -> None:
    colors = torch.stack([backbone.prepare(image) for image in pictures()])
    pixels = torch.stack([backbone.preprocess(image) for image in pictures()])
    assert 4 * colors.nbytes == pixels.nbytes
    assert torch.equal(backbone.trunk(colors), backbone.trunk(pixels))


def test_a_transform_that_is_not_split_prepares_pixels(backbone: OpenClipBackbone) -> None:
    transform = Compose([CenterCrop(32), ToTensor(), Normalize(0.5, 0.5), Grayscale(3)])
    whole = OpenClipBackbone(backbone.model, "m", None, transform=transform, tokenizer=None)
    (picture, *_) = pictures()
    assert torch.equal(whole.prepare(picture), transform(picture))
    assert whole.trunk(whole.prepare(picture)[None]).shape == (1, whole.width)
