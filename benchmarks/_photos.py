"""Photographs that are drawn: large shapes, and grain over them."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def photo(size: tuple[int, int], seed: int = 0) -> bytes:
    """Return a JPEG of so many pixels across and down, some 2 bits a pixel."""
    rng = np.random.default_rng(seed)
    shapes = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize(size)
    pixels = np.clip(np.asarray(shapes, dtype=np.int16) + grain(size), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=80)
    return stream.getvalue()


@cache
def grain(size: tuple[int, int]) -> Any:
    """Return what is laid over every photograph of a size; to draw it takes longer than the rest."""
    return np.random.default_rng(0).normal(0, 9, (*size[::-1], 3)).astype(np.int16)


def write_photos(folder: Path, size: tuple[int, int], count: int) -> Path:
    """Write so many of them in two class folders."""
    for number in range(count):
        place = folder / ("a", "b")[number % 2] / f"{number:05d}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(photo(size, number))
    return folder
