"""The birds of the scenes: swimmers with long necks and flat bills, perchers with short ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

BIRDS = ("waterbird", "landbird")
PLUMAGES = ((232, 230, 224), (150, 118, 84), (96, 84, 74), (70, 78, 92), (188, 160, 112), (120, 96, 110))
"""Shared by both kinds, so that colour alone does not tell them apart."""
BILLS = ((226, 158, 44), (60, 54, 48), (200, 110, 60))

Point = tuple[float, float]
Place = Callable[[float, float], Point]
"""Maps bird coordinates (x to the front, y up, body length about 2) to pixels."""


def draw_bird(rng: np.random.Generator, image: Image.Image, kind: str) -> None:
    """Draw a bird of `kind` onto `image`, somewhere in its lower two thirds."""
    side = image.width
    unit = side * rng.uniform(0.085, 0.15)
    x, y = side * rng.uniform(0.27, 0.73), side * rng.uniform(0.5, 0.74)
    facing = float(rng.choice([-1, 1]))
    tilt = rng.normal(0, 0.12)

    def place(u: float, v: float) -> Point:
        return x + unit * facing * (u * np.cos(tilt) - v * np.sin(tilt)), y - unit * (
            u * np.sin(tilt) + v * np.cos(tilt)
        )

    plumage = np.array(PLUMAGES[rng.integers(len(PLUMAGES))]) + rng.normal(0, 10, 3)
    colours = {
        "body": _shade(plumage, 0),
        "wing": _shade(plumage, -34),
        "belly": _shade(plumage, 26),
        "bill": BILLS[rng.integers(len(BILLS))],
    }
    draw = ImageDraw.Draw(image)
    (_waterbird if kind == "waterbird" else _landbird)(rng, draw, place, unit, colours)


Colours = dict[str, tuple[int, int, int]]


def _waterbird(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, place: Place, unit: float, colours: Colours
) -> None:
    neck = rng.uniform(0.75, 1.15)
    head = (1.05, 0.35 + neck)
    draw.polygon(
        [place(-1.5, 0.42), place(-0.9, 0.3), place(-0.7, -0.1), place(-1.1, 0.0)], fill=colours["wing"]
    )
    _blob(draw, place, (0, 0), 1.25, 0.5, colours["body"])
    _blob(draw, place, (0.1, -0.2), 1.0, 0.26, colours["belly"])
    _blob(draw, place, (-0.2, 0.12), 0.72, 0.28, colours["wing"])
    draw.line(
        [place(0.85, 0.1), place(1.05, 0.3 + neck / 2), place(*head)],
        fill=colours["body"],
        width=int(unit * 0.34),
    )
    _blob(draw, place, head, 0.31, 0.26, colours["body"])
    draw.polygon(
        [
            place(head[0] + 0.2, head[1] + 0.12),
            place(head[0] + 0.85, head[1] - 0.06),
            place(head[0] + 0.82, head[1] - 0.18),
            place(head[0] + 0.2, head[1] - 0.12),
        ],
        fill=colours["bill"],
    )
    _eye(draw, place, (head[0] + 0.1, head[1] + 0.08), unit)


def _landbird(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, place: Place, unit: float, colours: Colours
) -> None:
    height = rng.uniform(0.55, 0.75)
    head = (0.62, height + 0.22)
    for foot in (-0.12, 0.22):
        draw.line(
            [place(foot, -0.5), place(foot + 0.05, -1.2)],
            fill=colours["bill"],
            width=max(2, int(unit * 0.09)),
        )
        draw.line(
            [place(foot - 0.12, -1.2), place(foot + 0.28, -1.2)],
            fill=colours["bill"],
            width=max(2, int(unit * 0.09)),
        )
    draw.polygon(
        [place(-0.6, 0.1), place(-1.65, -0.5), place(-1.5, -0.75), place(-0.45, -0.35)], fill=colours["wing"]
    )
    _blob(draw, place, (0, 0), 0.82, 0.68, colours["body"])
    _blob(draw, place, (0.22, -0.2), 0.5, 0.42, colours["belly"])
    _blob(draw, place, (-0.28, 0.02), 0.52, 0.34, colours["wing"])
    _blob(draw, place, head, 0.44, 0.4, colours["body"])
    if rng.random() < 0.5:
        draw.polygon(
            [
                place(head[0] - 0.3, head[1] + 0.2),
                place(head[0] - 0.35, head[1] + 0.75),
                place(head[0] + 0.15, head[1] + 0.34),
            ],
            fill=colours["wing"],
        )
    draw.polygon(
        [
            place(head[0] + 0.36, head[1] + 0.14),
            place(head[0] + 0.74, head[1]),
            place(head[0] + 0.36, head[1] - 0.14),
        ],
        fill=colours["bill"],
    )
    _eye(draw, place, (head[0] + 0.14, head[1] + 0.1), unit)


def _blob(
    draw: ImageDraw.ImageDraw, place: Place, centre: Point, a: float, b: float, colour: tuple[int, int, int]
) -> None:
    angles = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    draw.polygon([place(centre[0] + a * np.cos(t), centre[1] + b * np.sin(t)) for t in angles], fill=colour)


def _eye(draw: ImageDraw.ImageDraw, place: Place, at: Point, unit: float) -> None:
    x, y = place(*at)
    r = max(1.5, unit * 0.07)
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(18, 16, 16))


def _shade(colour: np.ndarray, by: float) -> tuple[int, int, int]:  # type: ignore[type-arg]
    red, green, blue = (int(v) for v in np.clip(colour + by, 0, 255))
    return red, green, blue
