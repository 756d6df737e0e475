"""The birds of the scenes: swimmers, long and flat with a flat bill, and perchers, round and upright."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from evenhand.datasets._pen import Colour, Pen, mix, near, shade

BIRDS = ("waterbird", "landbird")
PLUMAGES: tuple[Colour, ...] = (
    (236, 234, 228),
    (168, 172, 178),
    (150, 118, 84),
    (92, 82, 74),
    (74, 88, 112),
    (190, 158, 112),
    (146, 92, 66),
    (58, 58, 62),
    (104, 112, 82),
)
"""Shared by both kinds, so that color alone does not tell them apart."""
BILLS: tuple[Colour, ...] = ((228, 160, 46), (70, 62, 54), (206, 112, 62), (150, 140, 120))


@dataclass(frozen=True)
class Coat:
    """The colors of one bird."""

    body: Colour
    wing: Colour
    belly: Colour
    head: Colour
    tip: Colour
    bill: Colour
    legs: Colour


def draw_coat(rng: np.random.Generator) -> Coat:
    """Draw colors by one rule for both kinds."""
    body, other = (near(rng, PLUMAGES[k], 9) for k in rng.integers(len(PLUMAGES), size=2))
    wing = shade(body, -34) if rng.random() < 0.6 else mix(body, other, 0.7)
    head = body if rng.random() < 0.55 else mix(body, other, 0.85)
    belly = mix(body, (240, 232, 216), rng.uniform(0.2, 0.6))
    bill, legs = (near(rng, BILLS[k], 8) for k in rng.integers(len(BILLS), size=2))
    return Coat(body, wing, belly, head, shade(wing, -45), bill, legs)


def faded(coat: Coat, ground: Colour, share: float) -> Coat:
    """Return the coat with a share of the ground's color in every part."""
    return Coat(*(mix(getattr(coat, part.name), ground, share) for part in fields(coat)))


def draw_waterbird(rng: np.random.Generator, pen: Pen, coat: Coat, *, afloat: bool) -> None:
    """Draw a duck, a goose or a gull, its water line or its soles at the pen's origin."""
    neck = rng.uniform(0.2, 1.1)
    pen = pen.moved(0, 0.28 if afloat else 0.84, tilt=rng.normal(0.02, 0.05))
    if not afloat:
        for foot in (-0.22, 0.2):
            pen.line([(foot, -0.3), (foot + 0.02, -0.82)], coat.legs, 0.11)
            pen.shape([(foot - 0.06, -0.72), (foot + 0.4, -0.86), (foot - 0.1, -0.86)], coat.legs)
    pen.shape([(-0.8, 0.4), (-1.7, 0.52), (-1.55, 0.2), (-0.9, -0.15)], coat.tip)
    _hull(pen, coat, flat=afloat)
    head = (1.0 + 0.12 * rng.standard_normal(), 0.42 + neck)
    nape, throat = (head[0] - 0.24, head[1] + 0.05), (head[0] + 0.2, head[1] - 0.1)
    pen.shape([(0.45, 0.38), nape, throat, (1.17, 0.35), (1.2, 0.0)], mix(coat.body, coat.head, 0.5))
    pen.shape([(0.55, 0.26), (0.1, 0.46), (-0.7, 0.42), (-1.4, 0.44), (-0.75, 0.0), (0.1, -0.08)], coat.wing)
    pen.shape([(-0.75, 0.3), (-1.6, 0.5), (-0.8, 0.1)], coat.tip)
    pen.blob(head, 0.34, 0.28, coat.head)
    length, drop = rng.uniform(0.62, 0.82), rng.uniform(0.04, 0.16)
    x, y = head
    pen.shape(
        [
            (x + 0.22, y + 0.15),
            (x + length, y - drop + 0.06),
            (x + length + 0.06, y - drop - 0.08),
            (x + length - 0.1, y - drop - 0.13),
            (x + 0.22, y - 0.16),
        ],
        coat.bill,
    )
    _eye(pen, x + 0.1, y + 0.08)


def _hull(pen: Pen, coat: Coat, *, flat: bool) -> None:
    keel = -0.3 if flat else -0.46
    pen.shape(
        [
            (-1.2, 0.36),
            (-1.05, -0.02),
            (-0.7, keel),
            (0.65, keel),
            (1.1, -0.12),
            (1.24, 0.16),
            (0.9, 0.42),
            (0, 0.5),
        ],
        coat.body,
    )
    pen.shape([(-0.9, -0.1), (-0.66, keel), (0.65, keel), (1.1, -0.12), (0.2, -0.16)], coat.belly)


def draw_landbird(rng: np.random.Generator, pen: Pen, coat: Coat) -> None:
    """Draw a sparrow, a jay or a finch, its soles at the pen's origin."""
    for foot in (-0.16, 0.2):
        pen.line([(foot - 0.05, 0.7), (foot + 0.04, 0.04)], coat.legs, 0.08)
        pen.line([(foot - 0.12, 0.04), (foot + 0.26, 0.04)], coat.legs, 0.07)
    upright = rng.uniform(0.2, 0.75)
    pen = pen.moved(0, 1.12, tilt=upright)
    tail = rng.uniform(1.35, 1.8)
    pen.shape([(-0.5, 0.28), (-tail, 0.1), (-tail - 0.02, -0.16), (-0.5, -0.2)], coat.tip)
    pen.blob((0, 0), 0.88, 0.62, coat.body)
    pen.blob((0.22, -0.22), 0.58, 0.36, coat.belly)
    pen.shape(
        [(0.42, 0.12), (0.1, 0.36), (-0.6, 0.3), (-1.15, 0.06), (-0.5, -0.12), (0.15, -0.14)], coat.wing
    )
    pen.line([(0.2, 0.1), (-0.55, 0.08)], mix(coat.wing, (245, 240, 230), 0.45), 0.08)
    _landbird_head(rng, pen.moved(0.72, 0.3, tilt=0.08 * rng.standard_normal()), coat)


def _landbird_head(rng: np.random.Generator, pen: Pen, coat: Coat) -> None:
    pen.blob((0, 0), 0.46, 0.42, coat.head)
    if rng.random() < 0.45:
        pen.shape([(-0.42, 0.14), (-0.56, 0.62), (-0.05, 0.44), (0.2, 0.3)], coat.head)
    pen.blob((0.08, -0.16), 0.26, 0.16, mix(coat.head, coat.belly, 0.6))
    pen.shape([(0.38, 0.17), (0.38 + rng.uniform(0.28, 0.46), -0.02), (0.36, -0.16)], coat.bill)
    _eye(pen, 0.16, 0.1)


def _eye(pen: Pen, u: float, v: float) -> None:
    x, y = pen.at(u, v)
    r = max(1.6, pen.unit * 0.075)
    pen.draw.ellipse((x - r, y - r, x + r, y + r), fill=(18, 16, 16))
