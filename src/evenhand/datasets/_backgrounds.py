"""Backgrounds of the scenes: seas and lakes under the sky, meadows and woods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from evenhand.datasets._pen import Colour, Pen, mix, near, shade

GROUNDS = ("water", "land")
SKIES: tuple[Colour, ...] = ((150, 192, 228), (186, 206, 222), (206, 208, 212), (232, 202, 176))
WATERS: tuple[Colour, ...] = ((52, 104, 150), (70, 120, 138), (88, 112, 128), (48, 92, 112))
LANDS: tuple[Colour, ...] = ((104, 132, 58), (132, 142, 76), (138, 120, 80), (84, 108, 58))
LEAVES: tuple[Colour, ...] = ((54, 92, 44), (74, 104, 50), (44, 74, 48), (132, 104, 48))


@dataclass(frozen=True)
class Background:
    """A background: the image [side, side], the row of the horizon, and the color at the viewer's feet."""

    kind: str
    image: Image.Image
    horizon: int
    colour: Colour


def draw_ground(rng: np.random.Generator, kind: str, side: int) -> Background:
    """Draw a background of `kind`, `side` pixels wide."""
    horizon = int(side * rng.uniform(0.2, 0.42))
    sky = near(rng, SKIES[rng.integers(len(SKIES))], 8)
    palette = WATERS if kind == "water" else LANDS
    colour = near(rng, palette[rng.integers(len(palette))], 12)
    image = Image.new("RGB", (side, side))
    image.paste(_gradient(sky, mix(sky, (250, 246, 238), 0.6), side, horizon))
    image.paste(_surface(rng, kind, colour, sky, side, side - horizon), (0, horizon))
    ground = Background(kind, image, horizon, colour)
    draw = ImageDraw.Draw(image)
    _clouds(rng, draw, side, horizon, sky)
    (_water if kind == "water" else _land)(rng, draw, ground, sky)
    return ground


def draw_stems(rng: np.random.Generator, ground: Background, x: float, y: float, spread: float) -> None:
    """Draw reeds or tall grass around (x, y), in front of what is there."""
    base = mix((96, 118, 58), ground.colour, 0.35 if ground.kind == "land" else 0.15)
    draw = ImageDraw.Draw(ground.image)
    for dx, lean, height, light in rng.uniform(-1, 1, (int(rng.integers(3, 8)), 4)):
        foot, top = x + spread * dx, y - spread * (0.55 + 0.3 * height)
        tip = foot + 0.25 * spread * lean
        draw.polygon([(foot - 1.5, y + 3), (tip, top), (foot + 1.5, y + 3)], fill=shade(base, 26 * light))


def _gradient(top: Colour, bottom: Colour, width: int, height: int) -> Image.Image:
    share = np.linspace(0, 1, height)[:, None]
    column = np.array(top) * (1 - share) + np.array(bottom) * share
    return Image.fromarray(column.astype(np.uint8)[:, None]).resize((width, height), Image.Resampling.NEAREST)


def _surface(
    rng: np.random.Generator, kind: str, colour: Colour, sky: Colour, width: int, height: int
) -> Image.Image:
    """Return the plain: lit and shaded patches, flattened into bands on water, paler towards the horizon."""
    far = mix(colour, sky, 0.45 if kind == "water" else 0.2)
    grain = (int(height / 7), 4) if kind == "water" else (7, 9)
    patches = (128 + 60 * rng.standard_normal(grain, dtype=np.float32)).clip(0, 255).astype(np.uint8)
    mask = Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)
    lit = _gradient(shade(far, 12), shade(colour, 24), width, height)
    return Image.composite(lit, _gradient(shade(far, -10), shade(colour, -22), width, height), mask)


def _clouds(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, side: int, horizon: int, sky: Colour
) -> None:
    white = mix(sky, (255, 252, 246), 0.65)
    for x, y, size in rng.random((int(rng.integers(0, 4)), 3)):
        a, b = side * (0.06 + 0.12 * size), side * (0.01 + 0.015 * size)
        cx, cy = side * x, 0.75 * horizon * y
        draw.ellipse((cx - a, cy - b, cx + a, cy + b), fill=white)
        draw.ellipse((cx - a / 2, cy - 2 * b, cx + a / 3, cy + b), fill=white)


def _water(rng: np.random.Generator, draw: ImageDraw.ImageDraw, ground: Background, sky: Colour) -> None:
    side, horizon = ground.image.width, ground.horizon
    if rng.random() < 0.45:
        _hills(rng, draw, side, horizon, mix((86, 104, 96), sky, rng.uniform(0.3, 0.65)))
    light, dark = mix(ground.colour, sky, 0.65), shade(ground.colour, -26)
    for x, y, length, bright in rng.random((int(rng.integers(26, 48)), 4)):
        depth = y**1.3
        cx, cy = side * (1.1 * x - 0.05), horizon + 2 + (side - horizon) * depth
        a, b = side * (0.02 + 0.08 * depth) * (0.5 + length), 1 + 2.2 * depth
        crest = [
            (cx - a, cy + b),
            (cx - a / 3, cy - b / 2),
            (cx + a / 2, cy - b / 3),
            (cx + a, cy + b),
            (cx, cy + b / 2),
        ]
        draw.polygon(crest, fill=light if bright > 0.4 else dark)


def _hills(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, side: int, horizon: int, colour: Colour
) -> None:
    heights = horizon - side * 0.09 * rng.random(7)
    ridge = [(side * k / 6, float(h)) for k, h in enumerate(heights)]
    draw.polygon([(0, horizon), *ridge, (side, horizon)], fill=colour)


def _land(rng: np.random.Generator, draw: ImageDraw.ImageDraw, ground: Background, sky: Colour) -> None:
    side, horizon = ground.image.width, ground.horizon
    leaves = LEAVES[rng.integers(len(LEAVES))]
    if rng.random() < 0.5:
        _hills(rng, draw, side, horizon, mix(leaves, sky, rng.uniform(0.25, 0.6)))
    feet = np.sort(rng.random(int(rng.integers(2, 8))))
    for foot in feet:
        tall, x = side * rng.uniform(0.14, 0.36), side * rng.random()
        pen = Pen(draw, x, horizon + 0.12 * side * float(foot), tall)
        _tree(rng, pen, mix(near(rng, leaves, 10), sky, 0.25 * (1 - float(foot))))
    for x, y, lean, light in rng.random((int(rng.integers(40, 80)), 4)):
        cx, cy = side * x, horizon + (side - horizon) * (0.08 + 0.92 * y**0.8)
        blade = 3 + 10 * (cy - horizon) / side
        tip = (cx + 6 * (lean - 0.5), cy - blade)
        draw.polygon([(cx - 1, cy), tip, (cx + 1.5, cy)], fill=shade(ground.colour, 70 * light - 42))


def _tree(rng: np.random.Generator, pen: Pen, leaf: Colour) -> None:
    pen.shape([(-0.05, 0), (-0.035, 0.6), (0.035, 0.6), (0.05, 0)], near(rng, (88, 66, 46), 8))
    if rng.random() < 0.5:
        for level in (0.2, 0.42, 0.64):
            half = 0.34 - 0.32 * level
            pen.shape([(-half, level), (0, level + 0.44), (half, level)], shade(leaf, 16 * level - 6))
        return
    for u, v, r, by in (
        (-0.16, 0.62, 0.2, -8),
        (0.16, 0.6, 0.2, -14),
        (0, 0.78, 0.24, 4),
        (-0.06, 0.84, 0.12, 16),
    ):
        x, y = pen.at(u, v)
        size = r * pen.unit
        pen.draw.ellipse((x - size, y - size, x + size, y + size), fill=shade(leaf, by))
