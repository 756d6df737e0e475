"""Drawing in a creature's own coordinates, and mixing colors."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

_CIRCLE = [(math.cos(t), math.sin(t)) for t in (k * math.pi / 12 for k in range(24))]


@dataclass(frozen=True)
class Pen:
    """Draws in coordinates with u to the front and v up, `unit` pixels long, from the point (x, y).

    `facing` is 1 if the front is to the right and -1 if it is to the left; `tilt` turns the front up.
    """

    draw: ImageDraw.ImageDraw
    x: float
    y: float
    unit: float
    facing: float = 1.0
    tilt: float = 0.0

    def at(self, u: float, v: float) -> Point:
        """Return the pixel of (u, v)."""
        cos, sin = math.cos(self.tilt), math.sin(self.tilt)
        return self.x + self.unit * self.facing * (u * cos - v * sin), self.y - self.unit * (
            u * sin + v * cos
        )

    def moved(self, u: float, v: float, tilt: float = 0.0) -> Pen:
        """Return a pen whose origin is at (u, v) of this one, turned to `tilt`."""
        x, y = self.at(u, v)
        return Pen(self.draw, x, y, self.unit, self.facing, tilt)

    def shape(self, points: Iterable[Point], colour: Colour) -> None:
        """Fill the polygon through `points`."""
        self.draw.polygon([self.at(*p) for p in points], fill=colour)

    def blob(self, centre: Point, a: float, b: float, colour: Colour, turn: float = 0.0) -> None:
        """Fill an ellipse with half axes a and b, turned by `turn`."""
        cos, sin = math.cos(turn), math.sin(turn)
        self.shape(
            (
                (centre[0] + a * c * cos - b * s * sin, centre[1] + a * c * sin + b * s * cos)
                for c, s in _CIRCLE
            ),
            colour,
        )

    def line(self, points: Iterable[Point], colour: Colour, width: float) -> None:
        """Draw a line `width` units thick, at least 2 pixels."""
        thick = max(2, round(width * self.unit))
        self.draw.line([self.at(*p) for p in points], fill=colour, width=thick)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Return `one` with a `share` of `other`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def shade(colour: Colour, by: float) -> Colour:
    """Return a color lighter (or darker) by `by` of 255."""
    red, green, blue = (min(255, max(0, round(v + by))) for v in colour)
    return red, green, blue


def near(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """Return a color near `colour`: a common change of light and a smaller one of each channel."""
    light = spread * rng.standard_normal()
    red, green, blue = (
        min(255, max(0, round(v + light + e)))
        for v, e in zip(colour, spread / 2 * rng.standard_normal(3), strict=True)
    )
    return red, green, blue
