"""MNIST as its authors publish it: four idx files, packed with gzip or not.

Source: LeCun, Bottou, Bengio, Haffner, *Gradient-Based Learning Applied to Document Recognition*, 1998.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evenhand._errors import EvenhandError
from evenhand._typing import Ints
from evenhand.datasets._layout import locate

STEMS = {"train": "train", "test": "t10k"}
FOLDERS = ("MNIST/raw", "mnist")
"""Of torchvision, and in wide use."""
SIZES = {"train": 60000, "test": 10000}

Pixels = NDArray[np.uint8]


def read_mnist(title: str, data: Path | None) -> dict[str, tuple[Pixels, Ints]]:
    """Return images uint8 [N, 28, 28] and digits [N] by split.

    Parameters
    ----------
    title : str
        The benchmark that needs them, for the message.
    data : Path or None
        Folder with the four files, called as their authors call them.

    Raises
    ------
    EvenhandError
        If a file is missing or damaged, or images and labels differ in number.
    """
    found = {}
    for split, stem in STEMS.items():
        pixels = _read(title, data, f"{stem}-images-idx3-ubyte", 3)
        digits = _read(title, data, f"{stem}-labels-idx1-ubyte", 1)
        if len(pixels) != len(digits):
            raise EvenhandError(
                f"{title}: {stem}-images has {len(pixels):,} images, {stem}-labels {len(digits):,} labels; "
                "download both again"
            )
        found[split] = pixels, digits.astype(np.int64)
    return found


def _read(title: str, data: Path | None, name: str, axes: int) -> Pixels:
    """Read one idx file: two zero bytes, the type 8, the number of axes, their lengths, then the bytes."""
    path = locate(title, data, (f"{name}.gz", name), FOLDERS)
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise EvenhandError(f"cannot read {path}: {error}; download it again") from error
    start = 4 + 4 * axes
    shape = np.frombuffer(raw[4:start], dtype=">u4").astype(int).tolist()
    if raw[:4] != bytes([0, 0, 8, axes]) or len(raw) != start + int(np.prod(shape)):
        raise EvenhandError(
            f"{path} is not an idx file of bytes with {axes} axes, or is cut short; download it again"
        )
    pixels: Pixels = np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(shape)
    return pixels
