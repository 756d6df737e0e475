"""CIFAR composites: a photograph of an object on a photograph of a background, the background a shortcut.

Made from the user's own CIFAR-10. Correlation, classes, label noise and class imbalance are parameters, so
that sets with a known shortcut, or with none, can be had in any number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from typing_extensions import override

from evenhand._errors import EvenhandError
from evenhand._random import numpy_stream
from evenhand._typing import Ints
from evenhand.data.manifest import Manifest
from evenhand.datasets._cifar import CLASSES, SIZES, Pixels, read_cifar
from evenhand.datasets._layout import Sizes, check_sizes
from evenhand.datasets._plan import balanced, check_counts, correlated, drawn, flipped
from evenhand.datasets._written import once, recipe_of, write_split
from evenhand.datasets.base import Dataset

SIDE, OBJECT = 64, 40
"""Pixels of an image's side, and of the object's."""


@dataclass(frozen=True)
class Composites(Dataset):
    """Objects of C classes on backgrounds of C other classes of CIFAR-10.

    Parameters
    ----------
    classes, backgrounds : sequence of str, or one str with commas
        Equally many classes of CIFAR-10; in training, class k is mostly on background k.
    correlation : float
        Share of training images on their class's background; 1/C is no shortcut.
    noise : float
        Share of training labels that are wrong.
    imbalance : float
        How many times as many training images the first class has as each other one.
    train, test : int
        Images; the test split has all C · C groups by turns, and objects that training never saw.
    seed : int
        Seed of all draws.
    expected : mapping of str to int, or None
        Expected images of CIFAR-10, which are checked.
    """

    classes: Sequence[str] | str = ("automobile", "truck")
    backgrounds: Sequence[str] | str = ("horse", "ship")
    correlation: float = 0.95
    noise: float = 0.0
    imbalance: float = 1.0
    train: int = 4800
    test: int = 3000
    seed: int = 0
    expected: Sizes | None = field(default_factory=lambda: SIZES)

    title = "CIFAR composites"
    made_attributes = ("background",)
    layout = "cifar-10-binary.tar.gz, or its folder cifar-10-batches-bin/"
    origin = "the page of CIFAR-10, binary version"

    @override
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """Compose the images once, and read them."""
        names, places = self._names()
        recipe = {**recipe_of("composites", self), "classes": names, "backgrounds": places}
        folder = once(pictures, recipe, lambda to: self._write(data, to, names, places))
        return Manifest.read(folder, attribute_columns=self.made_attributes)

    def _write(self, data: Path | None, folder: Path, names: list[str], places: list[str]) -> None:
        cifar = read_cifar(self.title, data)
        check_sizes("CIFAR-10", {split: len(labels) for split, (_, labels) in cifar.items()}, self.expected)
        rng = numpy_stream(self.seed, "composites", "plan")
        y, a = correlated(rng, self.train, len(names), self.correlation, self.imbalance)
        told = flipped(rng, y, len(names), self.noise)
        y_test, a_test = balanced(self.test, len(names))
        for split, objects, labels, grounds in (("train", y, told, a), ("test", y_test, y_test, a_test)):
            composed = compose(
                numpy_stream(self.seed, "composites", split),
                cifar[split],
                np.array([CLASSES.index(name) for name in names])[objects],
                np.array([CLASSES.index(name) for name in places])[grounds],
            )
            words = zip([names[k] for k in labels], [places[k] for k in grounds], strict=True)
            rows = ((image, *pair) for image, pair in zip(composed, words, strict=True))
            write_split(folder / split, rows, "background")

    def _names(self) -> tuple[list[str], list[str]]:
        names, places = (_listed(value) for value in (self.classes, self.backgrounds))
        unknown = next((name for name in [*names, *places] if name not in CLASSES), None)
        if unknown is not None:
            raise EvenhandError(
                f"{self.title}: {unknown!r} is not a class of CIFAR-10; it has {', '.join(CLASSES)}"
            )
        if len(names) != len(places) or len({*names, *places}) < 2 * len(names) or len(names) < 2:
            raise EvenhandError(
                f"{self.title}: classes are {', '.join(names)} and backgrounds {', '.join(places)}; give two "
                "or more of each, equally many, and none twice"
            )
        check_counts(self.title, len(names), train=self.train, test=self.test)
        return names, places


def compose(
    rng: np.random.Generator, cifar: tuple[Pixels, Ints], objects: Ints, grounds: Ints
) -> Iterator[Image.Image]:
    """Yield for each row an object's image, 40 pixels wide, somewhere on a background of 64.

    Parameters
    ----------
    rng : numpy Generator
        Draws which image of a class, and where.
    cifar : (uint8 [M, 32, 32, 3], int64 [M])
        Images and their classes.
    objects, grounds : int64 [n]
        Classes of CIFAR-10.
    """
    pixels, labels = cifar
    chosen, behind = drawn(rng, labels, objects), drawn(rng, labels, grounds)
    corners = rng.integers(0, SIDE - OBJECT + 1, (len(objects), 2))
    for front, back, (x, y) in zip(chosen, behind, corners, strict=True):
        picture = _enlarged(pixels[back], SIDE)
        picture.paste(_enlarged(pixels[front], OBJECT), (int(x), int(y)))
        yield picture


def _enlarged(pixels: Pixels, side: int) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), Image.Resampling.BICUBIC)


def _listed(value: Sequence[str] | str) -> list[str]:
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else list(value)
