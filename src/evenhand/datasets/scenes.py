"""Birds drawn on backgrounds: a benchmark with a shortcut that needs no download.

Waterbirds and landbirds on water and on land. In training the background goes with the bird in a stated
share of images; in the test split all four groups have the same size.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from typing_extensions import override

from evenhand._errors import EvenhandError
from evenhand._files import atomic, make_folder
from evenhand._random import numpy_stream
from evenhand.data.manifest import Manifest
from evenhand.datasets._backgrounds import GROUNDS, Background, draw_ground, draw_stems
from evenhand.datasets._birds import BIRDS, draw_coat, draw_landbird, draw_waterbird, faded
from evenhand.datasets._pen import Colour, Pen, mix, near, shade
from evenhand.datasets._plan import check_counts
from evenhand.datasets._written import once, recipe_of
from evenhand.datasets.base import Dataset

OVERSAMPLING = 3


@dataclass(frozen=True)
class Look:
    """How visible a bird is.

    Attributes
    ----------
    sizes : (float, float)
        Range of a bird's unit, about half its body's length, as a share of the image's side.
    camouflage : float
        Largest share of the ground's color in the plumage.
    grain : float
        Largest standard deviation of the noise, in steps of 255.
    """

    sizes: tuple[float, float]
    camouflage: float
    grain: float


WILD = Look((0.06, 0.12), 0.6, 10.0)
"""The benchmark: birds further off, often in colors near the ground's."""
HOME = {"waterbird": "water", "landbird": "land"}


@dataclass(frozen=True)
class Scenes(Dataset):
    """The scenes as a benchmark; parameters as in `write_scenes`."""

    seed: int = 0
    train: int = 2000
    test: int = 1000
    correlation: float = 0.95

    title = "scenes"
    made_attributes = ("background",)
    layout = "nothing: the images are drawn"
    usual_model = "tiny"

    @override
    def load(self, data: Path | None, pictures: Path) -> Manifest:
        """Draw the images once, and read them."""
        check_counts(self.title, len(HOME), train=self.train, test=self.test)
        folder = once(pictures, recipe_of("scenes", self), lambda to: write_scenes(to, **asdict(self)))
        return Manifest.read(folder, attribute_columns=self.made_attributes)


def draw_scene(
    rng: np.random.Generator, bird: str | None, background: str, size: int = 64, look: Look = WILD
) -> Image.Image:
    """Draw one image.

    Parameters
    ----------
    rng : numpy Generator
        Draws position, place, colors, light and noise.
    bird : "waterbird", "landbird" or None
        None draws the background alone.
    background : "water" or "land"
        Where it is.
    size : int
        Side in pixels.
    look : Look
        How visible the bird is.

    Raises
    ------
    EvenhandError
        If the bird or the background is unknown.
    """
    if bird is not None and bird not in BIRDS:
        raise EvenhandError(f"bird {bird!r} is unknown; scenes have {', '.join(BIRDS)}")
    if background not in GROUNDS:
        raise EvenhandError(f"background {background!r} is unknown; scenes have {', '.join(GROUNDS)}")
    ground = draw_ground(rng, background, size * OVERSAMPLING)
    if bird is not None:
        _place_bird(rng, ground, bird, look)
    small = np.asarray(ground.image.resize((size, size), Image.Resampling.BOX), dtype=np.float32)
    light = rng.uniform(0.75, 1.15) * (1 + 0.035 * rng.standard_normal(3, dtype=np.float32))
    grain = np.float32(rng.uniform(1, look.grain)) * rng.standard_normal(small.shape, dtype=np.float32)
    return Image.fromarray((small * light + grain).clip(0, 255).astype(np.uint8))


def _place_bird(rng: np.random.Generator, ground: Background, bird: str, look: Look) -> None:
    """Stand or float a bird somewhere; perches and stems in front come by one rule for both kinds."""
    side = ground.image.width
    unit = side * rng.uniform(*look.sizes)
    x = side * rng.uniform(0.22, 0.78)
    y = max(side * rng.uniform(0.55, 0.9), ground.horizon + 1.2 * unit)
    pen = Pen(ImageDraw.Draw(ground.image), x, y, unit, facing=float(2 * rng.integers(2) - 1))
    coat = draw_coat(rng)
    if look.camouflage > 0:
        coat = faded(coat, ground.colour, rng.uniform(0, look.camouflage))
    perched = rng.random() < 0.3
    wet = ground.kind == "water"
    if perched:
        pen = _perch(rng, pen, wet, ground)
    elif wet:
        _reflection(rng, pen, mix(coat.body, ground.colour, 0.55), ground)
    else:
        pen.blob((0, -0.02), 1.1, 0.16, shade(ground.colour, -34))
    if bird == "waterbird":
        draw_waterbird(rng, pen, coat, afloat=wet and not perched)
    else:
        draw_landbird(rng, pen, coat)
    if rng.random() < 0.35:
        draw_stems(rng, ground, x + unit * rng.uniform(-1.2, 1.2), y, unit * rng.uniform(1, 1.5))


def _perch(rng: np.random.Generator, pen: Pen, wet: bool, ground: Background) -> Pen:
    """Draw a rock, a log or a post; return a pen on its top."""
    kind = rng.integers(3)
    if wet:
        _reflection(rng, pen, shade(ground.colour, -30), ground)
    if kind == 0:
        rock = near(rng, (128, 124, 118), 12)
        pen.shape([(-1.1, 0), (-0.8, 0.36), (-0.2, 0.5), (0.6, 0.44), (1.15, 0)], shade(rock, -22))
        pen.shape([(-0.8, 0.36), (-0.2, 0.5), (0.6, 0.44), (0.3, 0.26), (-0.5, 0.22)], shade(rock, 16))
        return pen.moved(0, 0.4)
    wood = near(rng, (118, 92, 66), 12)
    if kind == 1:
        pen.shape([(-1.3, 0.02), (-1.3, 0.34), (1.2, 0.38), (1.2, 0.04)], wood)
        pen.blob((1.2, 0.21), 0.12, 0.17, shade(wood, 36))
        return pen.moved(0, 0.34)
    pen.shape([(-0.28, 0), (-0.25, 0.62), (0.25, 0.62), (0.28, 0)], wood)
    pen.shape([(0.05, 0), (0.06, 0.62), (0.25, 0.62), (0.28, 0)], shade(wood, -24))
    return pen.moved(0, 0.6)


def _reflection(rng: np.random.Generator, pen: Pen, colour: Colour, ground: Background) -> None:
    """Draw a broken mirror image below the pen's origin, and ripples around it."""
    for k, (left, right) in enumerate(rng.uniform(0.5, 1.2, (4, 2))):
        v, fade = -0.06 - 0.2 * k, 0.2 * k
        stripe = [(-left, v), (0, v + 0.08), (right, v), (0, v - 0.08)]
        pen.shape(stripe, mix(colour, ground.colour, fade))
    light = mix(ground.colour, (236, 242, 246), 0.5)
    pen.line([(-1.6, -0.04), (-0.7, -0.1), (0.5, -0.1), (1.5, -0.02)], light, 0.05)


def write_scenes(
    folder: Path, *, seed: int, train: int = 1200, test: int = 600, correlation: float = 0.95, size: int = 64
) -> Path:
    """Write a data set in the ImageFolder convention: `train/` and `test/`, each with `metadata.csv`.

    Parameters
    ----------
    folder : Path
        Folder to write; created if absent.
    seed : int
        Root of the random streams; one for each split.
    train, test : int
        Images per split.
    correlation : float
        Share of training images whose bird is at home, in [0, 1].
    size : int
        Side in pixels.

    Returns
    -------
    Path
        `folder`.

    Raises
    ------
    EvenhandError
        If `correlation` is not a share, or the folder cannot be written.
    """
    if not 0 <= correlation <= 1:
        raise EvenhandError(f"correlation is {correlation}; it must be between 0 and 1")
    for split in ("train", "test"):
        make_folder(folder / split)
    plans = {"train": _correlated(train, correlation, seed), "test": _balanced(test)}
    for split, plan in plans.items():
        rng = numpy_stream(seed, "scenes", split)
        rows = []
        for number, (bird, background) in enumerate(plan):
            name = f"{number:05d}.jpg"
            # Not flushed one by one: the split counts only once its metadata, written last, is there.
            draw_scene(rng, bird, background, size).save(folder / split / name, "JPEG", quality=92)
            rows.append((name, bird, background))
        target = folder / split / "metadata.csv"
        with atomic(target) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([("file_name", "label", "background"), *rows])
    return folder


def _correlated(n: int, correlation: float, seed: int) -> list[tuple[str, str]]:
    """Return birds by turns, the stated share of each at home, in a seeded order."""
    plan = []
    for bird in HOME:
        count = len(range(list(HOME).index(bird), n, len(HOME)))
        at_home = round(correlation * count)
        away = next(ground for ground in GROUNDS if ground != HOME[bird])
        plan += [(bird, HOME[bird])] * at_home + [(bird, away)] * (count - at_home)
    return [plan[k] for k in numpy_stream(seed, "scenes", "plan").permutation(n)]


def _balanced(n: int) -> list[tuple[str, str]]:
    groups = list(product(BIRDS, GROUNDS))
    return [groups[k % len(groups)] for k in range(n)]
