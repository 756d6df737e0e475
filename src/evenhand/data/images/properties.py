"""What can be said of an image without a model: size, light, color, border, compression, camera."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
from PIL import ExifTags, Image

from evenhand._typing import Floats
from evenhand.data.images.decode import TABLES, Decoded

PREFIX = "image_"
PROPERTIES = tuple(
    PREFIX + name
    for name in (
        "width",
        "height",
        "aspect",
        "brightness",
        "contrast",
        "sharpness",
        "color",
        "gray",
        "border",
        "bytes_per_pixel",
        "jpeg_quality",
        "camera",
    )
)
"""The columns that `properties_of` gives the values of."""
CROP = 64
"""Side in pixels of the middle part that sharpness is measured on."""
PLAIN = 3.0
"""Standard deviation of the brightness below which a side of the image is plain."""
DARK, LIGHT, FAINT = 40, 215, 40
"""Brightness of black and white, and saturation of gray, of 255."""
LUMINANCE = {64: 3688, 4: 53}
"""Sum of the luminance table of the JPEG standard, that of quality 50, and of its first four values."""
SPREAD, COLORED = 8, 0.01
"""Difference of red, green and blue, of 255, from which on a pixel has color; share of such pixels from which
on an image has."""
COLORS = ("red", "yellow", "green", "cyan", "blue", "magenta", "gray", "white", "black")
GRAY, WHITE, BLACK = 6, 7, 8
_NEAREST_HUE = ((np.arange(256) * 6 + 128) // 256 % 6).astype(np.uint8)
"""Place in `COLORS` of each of Pillow's hues."""


def properties_of(decoded: Decoded, small: Image.Image) -> tuple[str, ...]:
    """Return the values of `PROPERTIES` as text; the empty string is unknown.

    width, height: pixels in the file. aspect: width / height. brightness, contrast: mean and standard
    deviation of gray, 0 to 255. sharpness: variance of the Laplacian in the middle. color: that of most
    pixels, or `gray`, `black`, `white`. gray: `yes` where no pixel but a few has color, else `no`. border:
    `black`, `white` or `plain` where two opposite sides are, else `none`. bytes_per_pixel: compression, of a
    file of this machine. jpeg_quality: that of `jpeg_quality`. camera: the model in EXIF.

    Parameters
    ----------
    decoded : Decoded
        The image, upright and RGB, with its width and height in the file, and the size of the file.
    small : PIL.Image.Image
        The image with a longest side of some 64 pixels.
    """
    image, (width, height), file_bytes = decoded
    gray = np.asarray(small.convert("L"), dtype=np.float64)
    brightness, variance = _moments(gray)
    return (
        str(width),
        str(height),
        _text(width / height),
        _text(brightness),
        _text(math.sqrt(variance)),
        _text(sharpness(image)),
        color(small),
        "yes" if is_gray(small) else "no",
        border(gray),
        "" if file_bytes is None else _text(file_bytes / (width * height)),
        "" if (quality := jpeg_quality(image)) is None else str(quality),
        _camera(image),
    )


def _text(value: float) -> str:
    return f"{value:.4g}"


def _moments(numbers: Floats) -> tuple[float, float]:
    """Return mean and variance of whole numbers, whose sums are exact."""
    flat, n = numbers.ravel(), numbers.size
    total = float(flat.sum())
    return total / n, (n * float(flat @ flat) - total**2) / n**2


def sharpness(image: Image.Image) -> float:
    """Return the variance of the Laplacian of gray in the middle of an image; 0 if it has no middle."""
    left, top = max(0, (image.width - CROP) // 2), max(0, (image.height - CROP) // 2)
    middle = image.crop((left, top, min(image.width, left + CROP), min(image.height, top + CROP)))
    g = np.asarray(middle.convert("L"), dtype=np.int16)
    if min(g.shape) < 3:
        return 0.0
    laplacian = g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * g[1:-1, 1:-1]
    return _moments(laplacian.astype(np.float64))[1]


def color(small: Image.Image) -> str:
    """Return the color of most of every fourth pixel: one of six hues, `gray`, `black` or `white`."""
    some = Image.fromarray(np.asarray(small)[::2, ::2])
    hue, saturation, value = np.asarray(some.convert("HSV")).transpose(2, 0, 1)
    codes = _NEAREST_HUE[hue]
    codes[saturation < FAINT] = GRAY
    codes[(saturation < FAINT) & (value > LIGHT)] = WHITE
    codes[value < DARK] = BLACK
    return COLORS[int(np.bincount(codes.ravel()).argmax())]


def is_gray(small: Image.Image) -> bool:
    """Return whether less than 1 % of the pixels have color."""
    bands = np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))
    colored = np.count_nonzero(bands.max(axis=0) - bands.min(axis=0) > SPREAD)
    return bool(colored < COLORED * small.width * small.height)


def jpeg_quality(image: Image.Image) -> int | None:
    """Return the quality, 1 to 100, that a decoded JPEG was saved with; None for other formats.

    Encoders scale the table of the standard by s = 200 − 2q percent from quality q = 50 on, and by 5000 / q
    below; s is read off the sum of the luminance table, or of its first values where others are cut at 255.
    Encoders with tables of their own, as Photoshop, get the quality whose table is as coarse.

    References
    ----------
    `jpeg_quality_scaling` and `std_luminance_quant_tbl` of libjpeg; ITU-T T.81, Annex K, 1992.
    """
    tables = image.info.get(TABLES)
    if not tables:
        return None
    table: list[int] = list(tables[min(tables)])
    n = 64 if max(table) < 255 else 4
    scale = 100 * sum(table[:n]) / LUMINANCE[n]
    return max(1, min(100, round(100 - scale / 2 if scale <= 100 else 5000 / scale)))


def border(gray: Floats) -> str:
    """Return what frames an image [H, W]: `black`, `white` or `plain` on two opposite sides, or `none`."""
    for a, b in ((gray[0], gray[-1]), (gray[:, 0], gray[:, -1])):
        kind = _side(a)
        if kind != "none" and kind == _side(b):
            return kind
    return "none"


def _side(line: Floats) -> str:
    brightness, variance = _moments(line)
    if variance > PLAIN**2:
        return "none"
    return "black" if brightness < DARK else "white" if brightness > LIGHT else "plain"


def _camera(image: Image.Image) -> str:
    # Damaged EXIF raises errors of many kinds, and the image is whole.
    with suppress(Exception):
        return " ".join(str(image.getexif().get(ExifTags.Base.Model, "")).replace("\0", "").split())
    return ""
