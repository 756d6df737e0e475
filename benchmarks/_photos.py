"""Photographs that are drawn: large shapes, and grain over them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def photo(size: tuple[int, int], seed: int = 0) -> bytes:
    """Return a JPEG of so many pixels across and down, some 2 bits a pixel."""
    rng = np.random.default_rng(seed)
    shapes = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize(size)
    grain = rng.normal(0, 9, (*size[::-1], 3))
    pixels = np.clip(np.asarray(shapes) + grain, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=80)
    return stream.getvalue()


def write_photos(folder: Path, size: tuple[int, int], count: int) -> Path:
    """Write so many of them, ten of which differ, in two class folders."""
    different = [photo(size, seed) for seed in range(min(10, count))]
    for number in range(count):
        place = folder / ("a", "b")[number % 2] / f"{number:05d}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        # Bytes after the end of a JPEG make each another file: copies would be reported.
        place.write_bytes(different[number % len(different)] + number.to_bytes(4, "big"))
    return folder
