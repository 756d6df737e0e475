"""MNIST–CIFAR dominoes: a digit above a vehicle, the digit an easier shortcut for the vehicle.

Source: Shah et al., *The Pitfalls of Simplicity Bias in Neural Networks*, NeurIPS 2020.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from typing_extensions import override

from evenhand._random import numpy_stream
from evenhand.data.manifest import Manifest
from evenhand.datasets import _cifar, _mnist
from evenhand.datasets._layout import Sizes, check_sizes
from evenhand.datasets._plan import balanced, check_counts, correlated, drawn
from evenhand.datasets._written import once, recipe_of, write_split
from evenhand.datasets.base import Dataset

VEHICLES, DIGITS = ("automobile", "truck"), ("zero", "one")


@dataclass(frozen=True)
class Dominoes(Dataset):
    """Zeros and ones above automobiles and trucks.

    Parameters
    ----------
    correlation : float
        Share of training images with zero above automobile, or one above truck.
    train, test : int
        Images; the test split has all four groups by turns.
    seed : int
        Seed of all draws.
    expected : mapping of str to int, or None
        Expected images of MNIST and of CIFAR-10, such as "MNIST train", which are checked.
    """

    correlation: float = 0.95
    train: int = 10000
    test: int = 2000
    seed: int = 0
    expected: Sizes | None = field(
        default_factory=lambda: {
            **{f"MNIST {split}": size for split, size in _mnist.SIZES.items()},
            **{f"CIFAR-10 {split}": size for split, size in _cifar.SIZES.items()},
        }
    )

    title = "MNIST–CIFAR dominoes"
    made_attributes = ("digit",)
    layout = "the four idx files of MNIST, and cifar-10-binary.tar.gz or its folder"
    origin = "the pages of MNIST and of CIFAR-10, binary version"

    @override
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """Stack the images once, and read them."""
        check_counts(self.title, 2, train=self.train, test=self.test)
        folder = once(pictures, recipe_of("dominoes", self), lambda to: self._write(data, to))
        return Manifest.read(folder, attribute_columns=self.made_attributes)

    def _write(self, data: Path | None, folder: Path) -> None:
        mnist, cifar = _mnist.read_mnist(self.title, data), _cifar.read_cifar(self.title, data)
        sizes = {f"MNIST {split}": len(labels) for split, (_, labels) in mnist.items()}
        sizes |= {f"CIFAR-10 {split}": len(labels) for split, (_, labels) in cifar.items()}
        check_sizes(self.title, sizes, self.expected)
        plan = numpy_stream(self.seed, "dominoes", "plan")
        plans = {"train": correlated(plan, self.train, 2, self.correlation), "test": balanced(self.test, 2)}
        codes = np.array([_cifar.CLASSES.index(name) for name in VEHICLES])
        for split, (y, a) in plans.items():
            rng = numpy_stream(self.seed, "dominoes", split)
            below, above = drawn(rng, cifar[split][1], codes[y]), drawn(rng, mnist[split][1], a)
            rows = (
                (stacked(mnist[split][0][top], cifar[split][0][low]), VEHICLES[label], DIGITS[digit])
                for top, low, label, digit in zip(above, below, y, a, strict=True)
            )
            write_split(folder / split, rows, "digit")


def stacked(digit: _mnist.Pixels, vehicle: _cifar.Pixels) -> Image.Image:
    """Return a digit [28, 28] above a vehicle [32, 32, 3], in the middle column of a black square of 64.

    The square is for the models' preprocessing, which cuts a tall image down to its middle.
    """
    canvas = np.zeros((64, 64, 3), dtype=np.uint8)
    canvas[2:30, 18:46] = digit[..., None]
    canvas[32:, 16:48] = vehicle
    return Image.fromarray(canvas)
