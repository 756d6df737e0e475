"""Birds drawn on backgrounds: a benchmark with a shortcut that needs no download.

Waterbirds and landbirds on water and on land. In training the background goes with the bird in a stated
share of pictures; in the test split all four groups have the same size.
"""

from __future__ import annotations

import csv
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from evenhand._errors import EvenhandError
from evenhand._files import atomic, make_folder
from evenhand._random import numpy_stream
from evenhand.datasets._birds import BIRDS, draw_bird
from evenhand.datasets._grounds import GROUNDS, draw_ground

OVERSAMPLING = 3
HOME = {"waterbird": "water", "landbird": "land"}


def draw_scene(rng: np.random.Generator, bird: str | None, background: str, size: int = 64) -> Image.Image:
    """Draw one picture.

    Parameters
    ----------
    rng : numpy Generator
        Draws pose, place, colours, light and noise.
    bird : "waterbird", "landbird" or None
        None draws the background alone.
    background : "water" or "land"
        Where it is.
    size : int
        Side in pixels.

    Raises
    ------
    EvenhandError
        If the bird or the background is unknown.
    """
    if bird is not None and bird not in BIRDS:
        raise EvenhandError(f"bird {bird!r} is unknown; scenes have {', '.join(BIRDS)}")
    if background not in GROUNDS:
        raise EvenhandError(f"background {background!r} is unknown; scenes have {', '.join(GROUNDS)}")
    image = draw_ground(rng, background, size * OVERSAMPLING)
    if bird is not None:
        draw_bird(rng, image, bird)
    small = np.asarray(image.resize((size, size), Image.Resampling.BOX), dtype=np.float32)
    light = rng.uniform(0.8, 1.15)
    noisy = small * light + rng.normal(0, rng.uniform(2, 9), small.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def write_scenes(
    folder: Path, *, seed: int, train: int = 1200, test: int = 600, correlation: float = 0.95, size: int = 64
) -> Path:
    """Write a data set in the ImageFolder convention: `train/` and `test/`, each with `metadata.csv`.

    Parameters
    ----------
    folder : Path
        Where to; made if absent.
    seed : int
        Root of the random streams; one for each split.
    train, test : int
        Pictures per split.
    correlation : float
        Share of training pictures whose bird is at home, in [0, 1].
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
        raise EvenhandError(f"correlation is {correlation}; it must lie between 0 and 1")
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
