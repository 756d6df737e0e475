"""Thumbnails of a store as sprite sheets and as pictures within the page."""

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
"""Pixels of a sprite's side: a multiple of JPEG's blocks, so that no picture bleeds into its neighbour."""
COLUMNS = 16
SHEET = COLUMNS * COLUMNS
QUALITY = 80


def thumbnails(table: FeatureTable, rows: Ints) -> dict[int, bytes]:
    """Return JPEG bytes by row number; empty where the store keeps no thumbnails."""
    wanted = np.unique(rows)
    found = read_thumbnails(table.source, wanted) if table.source is not None and len(wanted) else []
    return dict(zip(wanted.tolist(), found, strict=True)) if found else {}


def address(jpeg: bytes) -> str:
    """Return a picture as a `data:` address."""
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"


def sprite_sheets(jpegs: Sequence[bytes]) -> list[str]:
    """Return sheets of `COLUMNS` × `COLUMNS` tiles, row by row, each picture in the middle of its tile."""
    return [_sheet(jpegs[start : start + SHEET]) for start in range(0, len(jpegs), SHEET)]


def _sheet(jpegs: Sequence[bytes]) -> str:
    lines = -(-len(jpegs) // COLUMNS)
    sheet = Image.new("RGB", (TILE * min(COLUMNS, len(jpegs)), TILE * lines), "#808080")
    for place, jpeg in enumerate(jpegs):
        picture = _tile(jpeg)
        x, y = TILE * (place % COLUMNS), TILE * (place // COLUMNS)
        sheet.paste(picture, (x + (TILE - picture.width) // 2, y + (TILE - picture.height) // 2))
    return address(encoded(sheet))


def _tile(jpeg: bytes) -> Image.Image:
    try:
        # A store may be a stranger's: PostScript, for one, would be a program that runs.
        picture = Image.open(io.BytesIO(jpeg), formats=("JPEG",))
        picture.thumbnail((TILE, TILE))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise EvenhandError(f"a thumbnail of the store cannot be read ({error}); embed again") from error
    return picture


def encoded(picture: Image.Image) -> bytes:
    """Return a picture as JPEG."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=QUALITY, optimize=True)
    return stream.getvalue()


def moved_away(table: FeatureTable, rows: Ints) -> int:
    """Return how many of `rows` name an image that is not there; imported rows name none."""
    return sum(bool(path) and not is_there(Path(path)) for path in table.paths[rows].tolist())
