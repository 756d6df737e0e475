"""Images of more than 8 bits a value as 8-bit ones.

Files seldom say how many of their bits are used: a 12-bit camera or scanner saves 16-bit files whose
brightest value is 4095, and read by their format they are nearly black. So white is the smallest usual
full scale that holds the brightest value of an image.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from evenhand._typing import Floats

_USUAL = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""Of 8, 10, 12, 14 and 16 bits."""
_OTHER_BYTE = {"B": "L", "L": "B"}
_GRAY_ALPHA = "LA;16B"
"""How PIL calls the values of 16-bit gray with alpha: it makes RGBA of their upper bytes."""


def is_deep_gray(image: Image.Image) -> bool:
    """Return whether an image is grayscale with 16 or 32 bits a pixel."""
    return image.mode == "F" or image.mode.startswith("I")


def has_deep_colours(image: Image.Image) -> bool:
    """Return whether an image that is not yet decoded has 16 bits a color. PIL keeps the upper 8."""
    return image.mode in ("RGB", "RGBA") and any(
        _other_byte(tile.args) for tile in getattr(image, "tile", ())
    )


def from_deep_gray(image: Image.Image) -> Image.Image:
    """Return gray values in 8 bits: negative ones and those that are no number are black."""
    values: Floats = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0).clip(min=0)
    brightest = float(values.max(initial=0.0))
    # Floats may go to 1.
    usual = (1.0, 255.0, 65535.0) if image.mode == "F" else _USUAL
    return Image.fromarray(_scaled(values, _white(brightest, usual)))


def from_deep_colours(image: Image.Image, source: Path | BinaryIO) -> Image.Image:
    """Return colors in 8 bits, from the decoded image with the upper bytes and the file with both.

    Where the upper bytes are used in full, they are the image already.
    """
    upper = np.asarray(image)
    if upper[..., :3].max(initial=0) >= 64:  # more than 14 bits are used
        return image
    if isinstance(source, BytesIO):
        source.seek(0)
    with Image.open(source) as again:
        gray = any(_raw_mode(tile.args) == _GRAY_ALPHA for tile in again.tile)
        # PIL has no mode for 16-bit colors, but a way to read either byte of each.
        again.tile = [tile._replace(args=_other_byte(tile.args)) for tile in again.tile]
        read = np.asarray(again)
    # Of gray with alpha the four bytes of a pixel are read as if they were four colors.
    lower = read[..., [1, 1, 1]] if gray else read[..., :3]
    values: Floats = 256.0 * upper[..., :3] + lower
    scaled = _scaled(values, _white(float(values.max(initial=0.0)), _USUAL))
    return Image.fromarray(np.concatenate([scaled, upper[..., 3:]], axis=-1), image.mode)


def _white(brightest: float, usual: tuple[float, ...]) -> float:
    return next((scale for scale in usual if brightest <= scale), brightest)


def _scaled(values: Floats, white: float) -> Any:
    return np.rint(values * (255 / white)).clip(max=255).astype(np.uint8)


def _other_byte(args: Any) -> Any:
    """Return a tile's arguments with the other byte of each value; None where values have one byte."""
    mode = _raw_mode(args)
    if not (mode[:-1].endswith(";16") and mode[-1] in _OTHER_BYTE):
        return None
    other = "RGBA" if mode == _GRAY_ALPHA else mode[:-1] + _OTHER_BYTE[mode[-1]]
    return other if isinstance(args, str) else (other, *args[1:])


def _raw_mode(args: Any) -> str:
    mode = args if isinstance(args, str) else next(iter(args or ()), "")
    return mode if isinstance(mode, str) else ""
