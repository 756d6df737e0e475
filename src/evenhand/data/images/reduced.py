"""A JPEG decoded at a fraction of its size, for a model that would shrink it anyway."""

from __future__ import annotations

from PIL import Image

_FORMATS = ("JPEG", "MPO")
_SCALES = (8, 4, 2)
"""Divisors of a size at which libjpeg can decode."""


def reduce(image: Image.Image, short_side: int | None) -> int:
    """Have a JPEG that is not yet decoded come at the smallest scale that keeps its short side.

    The scale divides both sides, since a rounded size would move the content by up to a pixel. Images
    without such a scale and those of other formats are left as they are, as is every image if
    `short_side` is None.

    Returns
    -------
    int
        By what the sides are divided: 8, 4, 2 or 1.
    """
    if short_side is None or image.format not in _FORMATS:
        return 1
    for scale in _SCALES:
        if min(image.size) >= scale * short_side and not any(side % scale for side in image.size):
            image.draft(None, (image.width // scale, image.height // scale))
            return scale
    return 1
