"""Colored MNIST: small or large digits, the color a stronger cue than the digit.

Source: Arjovsky, Bottou, Gulrajani, Lopez-Paz, *Invariant Risk Minimization*, 2019.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from typing_extensions import override

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Ints
from evenhand.data.manifest import Manifest
from evenhand.datasets._layout import Sizes, check_sizes
from evenhand.datasets._mnist import SIZES, Pixels, read_mnist
from evenhand.datasets._written import once, recipe_of, write_split
from evenhand.datasets.base import Dataset

CLASSES, COLOURS = ("digit below five", "digit of five or more"), ("red", "green")


@dataclass(frozen=True)
class ColouredMnist(Dataset):
    """All digits of MNIST in red or green; red goes with the small ones in training.

    Parameters
    ----------
    correlation : float
        Chance that a training digit has its label's color; in the test split the color is a fair coin.
    noise : float
        Chance that a label is flipped before the color is drawn, in both splits as in the source: no
        classifier that looks at the digit is right more often than 1 − noise.
    seed : int
        Seed of all draws.
    expected : mapping of str to int, or None
        Expected digits of MNIST, which are checked.
    """

    correlation: float = 0.9
    noise: float = 0.25
    seed: int = 0
    expected: Sizes | None = field(default_factory=lambda: SIZES)

    title = "colored MNIST"
    made_attributes = ("colour",)
    layout = "train-images-idx3-ubyte.gz and the three other idx files of MNIST, packed or not"
    origin = "the page of MNIST"

    @override
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """Color the digits once, and read them."""
        folder = once(pictures, recipe_of("coloured_mnist", self), lambda to: self._write(data, to))
        return Manifest.read(folder, attribute_columns=self.made_attributes)

    def prompts(self) -> dict[str, tuple[str, ...]]:
        """Return prompts that a model trained on captions understands."""
        return {name: (f"a handwritten {name}.",) for name in CLASSES}

    def _write(self, data: Path | None, folder: Path) -> None:
        mnist = read_mnist(self.title, data)
        check_sizes("MNIST", {split: len(digits) for split, (_, digits) in mnist.items()}, self.expected)
        for split, (pixels, digits) in mnist.items():
            y, a = self._drawn(split, digits)
            rows = (
                (coloured(picture, colour), CLASSES[label], COLOURS[colour])
                for picture, label, colour in zip(pixels, y, a, strict=True)
            )
            write_split(folder / split, rows, "colour")

    def _drawn(self, split: str, digits: Ints) -> tuple[Ints, Ints]:
        rng = numpy_stream(self.seed, "coloured_mnist", split)
        flips, others = rng.random((2, len(digits)))
        label: Bools = (digits >= 5) ^ (flips < self.noise)
        colour: Bools = label ^ (others >= (self.correlation if split == "train" else 0.5))
        return label.astype(np.int64), colour.astype(np.int64)


def coloured(digit: Pixels, colour: int) -> Image.Image:
    """Return a digit [28, 28] in the red (0) or the green (1) channel of a black image."""
    canvas = np.zeros((*digit.shape, 3), dtype=np.uint8)
    canvas[..., colour] = digit
    return Image.fromarray(canvas)
