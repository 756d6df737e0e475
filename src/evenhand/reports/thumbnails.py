"""Thumbnails of a store, as sprite sheets and as single images within the page."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from evenhand._errors import EvenhandError
from evenhand._typing import Ints
from evenhand.data.places import is_there
from evenhand.data.store import read_thumbnails
from evenhand.data.table import FeatureTable

TILE = 64
"""Pixels of a sprite's side: a multiple of JPEG's blocks, so that no image bleeds into its neighbor."""
COLUMNS = 16
SHEET = COLUMNS * COLUMNS
QUALITY = 80


def thumbnails(table: FeatureTable, rows: Ints) -> dict[int, bytes]:
    """Return JPEG bytes by row number; empty if the store has no thumbnails."""
    wanted = np.unique(rows)
    found = read_thumbnails(table.source, wanted) if table.source is not None and len(wanted) else []
    return dict(zip(wanted.tolist(), found, strict=True)) if found else {}


def address(jpeg: bytes) -> str:
    """Return an image as a `data:` address."""
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"


def sprite_sheets(jpegs: Sequence[bytes]) -> list[str]:
    """Return sheets of `COLUMNS` × `COLUMNS` tiles, row by row, each image in the middle of its tile."""
    return [_sheet(jpegs[start : start + SHEET]) for start in range(0, len(jpegs), SHEET)]


def _sheet(jpegs: Sequence[bytes]) -> str:
    lines = -(-len(jpegs) // COLUMNS)
    sheet = Image.new("RGB", (TILE * min(COLUMNS, len(jpegs)), TILE * lines), "#808080")
    for place, jpeg in enumerate(jpegs):
        tile = _tile(jpeg)
        x, y = TILE * (place % COLUMNS), TILE * (place // COLUMNS)
        sheet.paste(tile, (x + (TILE - tile.width) // 2, y + (TILE - tile.height) // 2))
    return address(encoded(sheet))


def _tile(jpeg: bytes) -> Image.Image:
    try:
        # A store may come from anyone, and PostScript, for one, is a program.
        image = Image.open(io.BytesIO(jpeg), formats=("JPEG",))
        image.thumbnail((TILE, TILE))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise EvenhandError(f"a thumbnail of the store cannot be read ({error}); embed again") from error
    return image


def encoded(image: Image.Image) -> bytes:
    """Return an image as JPEG."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY, optimize=True)
    return stream.getvalue()


def moved_away(table: FeatureTable, rows: Ints) -> int:
    """Return how many of `rows` name an image that is gone; imported rows name none."""
    return sum(bool(path) and not is_there(Path(path)) for path in table.paths[rows].tolist())
