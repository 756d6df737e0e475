"""Backgrounds of the scenes: open water under the sky, and meadows with trees."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

GROUNDS = ("water", "land")


def draw_ground(rng: np.random.Generator, kind: str, side: int) -> Image.Image:
    """Return a square RGB picture of `kind`, `side` pixels wide."""
    horizon = int(side * rng.uniform(0.2, 0.42))
    sky = _colour(rng, (176, 205, 228), 22)
    top, near, far = (
        (sky, _colour(rng, (45, 95, 140), 24), _colour(rng, (110, 160, 190), 20))
        if kind == "water"
        else (sky, _colour(rng, (92, 120, 48), 24), _colour(rng, (140, 160, 80), 22))
    )
    image = _gradients(side, horizon, top, far, near)
    (_waves if kind == "water" else _meadow)(rng, ImageDraw.Draw(image), side, horizon, near)
    return image


def _gradients(
    side: int, horizon: int, top: tuple[int, ...], far: tuple[int, ...], near: tuple[int, ...]
) -> Image.Image:
    rows = np.linspace(0, 1, side - horizon)[:, None]
    below = (1 - rows) * np.array(far) + rows * np.array(near)
    haze = np.linspace(0, 0.5, horizon)[:, None]
    above = (1 - haze) * np.array(top) + haze * 245
    column = np.concatenate([above, below]).clip(0, 255).astype(np.uint8)
    return Image.fromarray(np.repeat(column[:, None], side, axis=1))


def _waves(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, side: int, horizon: int, near: tuple[int, ...]
) -> None:
    for _ in range(int(rng.integers(30, 55))):
        y = horizon + (side - horizon) * rng.random() ** 1.3
        depth = (y - horizon) / (side - horizon)
        length, x = side * (0.05 + 0.16 * depth) * rng.uniform(0.6, 1.6), side * rng.uniform(-0.1, 1)
        shade = rng.choice([-22, 30, 55])
        colour = tuple(int(np.clip(v + shade, 0, 255)) for v in near)
        draw.arc((x, y, x + length, y + 2 + 5 * depth), 190, 350, fill=colour, width=1 + int(3 * depth))


def _meadow(
    rng: np.random.Generator, draw: ImageDraw.ImageDraw, side: int, horizon: int, near: tuple[int, ...]
) -> None:
    for _ in range(int(rng.integers(3, 8))):
        x, height = side * rng.random(), side * rng.uniform(0.12, 0.3)
        foot = horizon + side * rng.uniform(0, 0.1)
        leaf = _colour(rng, (46, 92, 44), 20)
        draw.rectangle((x - 3, foot - height / 2, x + 3, foot), fill=_colour(rng, (84, 62, 42), 12))
        if rng.random() < 0.5:
            draw.polygon(
                [(x, foot - height * 1.2), (x - height * 0.4, foot - 6), (x + height * 0.4, foot - 6)], leaf
            )
        else:
            r = height * 0.42
            draw.ellipse((x - r, foot - height - r * 0.6, x + r, foot - height + r * 1.3), fill=leaf)
    for _ in range(int(rng.integers(60, 110))):
        x, y = side * rng.random(), horizon + (side - horizon) * rng.random() ** 0.8
        blade = 3 + 9 * (y - horizon) / side
        shade = rng.choice([-26, -14, 22])
        colour = tuple(int(np.clip(v + shade, 0, 255)) for v in near)
        draw.line((x, y, x + rng.uniform(-3, 3), y - blade), fill=colour, width=2)


def _colour(rng: np.random.Generator, mean: tuple[int, int, int], spread: float) -> tuple[int, ...]:
    return tuple(int(v) for v in np.clip(rng.normal(mean, spread / 2), 0, 255))
