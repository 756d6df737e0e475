"""The small copy of an image that a store keeps."""

from __future__ import annotations

import io
from math import ceil, floor

from PIL import Image
from PIL.Image import Resampling

THUMBNAIL = 64
"""Longest side in pixels."""
QUALITY = 80
"""Of the JPEG, as Pillow counts it."""


def shrunk(image: Image.Image) -> Image.Image:
    """Return a copy whose longest side has 64 pixels, or the image's own size where that is smaller."""
    size = _fitting(*image.size)
    # What Pillow's thumbnail does to a copy; but to copy a photograph takes as long as to shrink it.
    return image.copy() if size == image.size else image.resize(size, Resampling.BICUBIC, reducing_gap=2.0)


def _fitting(width: int, height: int) -> tuple[int, int]:
    """Return the size as Pillow's thumbnail rounds it: each side to the nearest aspect."""
    if max(width, height) <= THUMBNAIL:
        return width, height
    aspect = width / height
    if aspect <= 1:
        return min(_around(THUMBNAIL * aspect), key=lambda n: abs(aspect - n / THUMBNAIL)), THUMBNAIL
    return THUMBNAIL, min(_around(THUMBNAIL / aspect), key=lambda n: abs(aspect - THUMBNAIL / n))


def _around(number: float) -> tuple[int, int]:
    return max(floor(number), 1), max(ceil(number), 1)


def jpeg_of(small: Image.Image) -> bytes:
    """Return an image as JPEG."""
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def thumbnail_of(image: Image.Image) -> bytes:
    """Return a JPEG whose longest side has 64 pixels."""
    return jpeg_of(shrunk(image))
