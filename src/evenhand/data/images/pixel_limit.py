"""How many pixels an image may have: each takes memory, and a small file may stand for billions."""

from __future__ import annotations

import os

from PIL import Image

from evenhand._errors import EvenhandError

VARIABLE = "EVENHAND_MAX_PIXELS"
"""In the environment, which the processes that read images inherit."""


def pixel_limit() -> int | None:
    """Return the most pixels that an image may have, `PIL.Image.MAX_IMAGE_PIXELS` by default; None for any.

    Raises
    ------
    EvenhandError
        If the environment holds no whole number.
    """
    text = os.environ.get(VARIABLE)
    if text is None:
        return Image.MAX_IMAGE_PIXELS
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise EvenhandError(f"{VARIABLE} is {text!r}; give a number of pixels, as 500000000, or unset it")
    return int(text)


def set_pixel_limit(pixels: int | None) -> None:
    """Set the limit of this process and those that it starts; None leaves it as it is."""
    if pixels is not None:
        os.environ[VARIABLE] = str(pixels)


def raised_limit() -> int | None:
    """Return the limit where it was set; None if it is the usual one."""
    return pixel_limit() if VARIABLE in os.environ else None
