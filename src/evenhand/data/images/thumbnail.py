"""The small copy of an image that a store keeps."""

from __future__ import annotations

import io

from PIL import Image

THUMBNAIL = 64
"""Longest side in pixels."""
QUALITY = 80
"""Of the JPEG, as Pillow counts it."""


def shrunk(image: Image.Image) -> Image.Image:
    """Return a copy whose longest side has 64 pixels, or the image's own size where that is smaller."""
    # Shares the pixels, which thumbnail only reads: to copy a photograph takes as long as to shrink it.
    small = image._new(image.im)
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small


def jpeg_of(small: Image.Image) -> bytes:
    """Return an image as JPEG."""
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def thumbnail_of(image: Image.Image) -> bytes:
    """Return a JPEG whose longest side has 64 pixels."""
    return jpeg_of(shrunk(image))
