"""The same image saved again with other compression, size or format, found by thumbnails or features."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evenhand._parquet import read_parquet
from evenhand._typing import Floats, Ints
from evenhand.data.arrays.gather import gathered
from evenhand.data.arrays.npy import map_npy
from evenhand.data.kept_together import Sets, first_linked
from evenhand.data.store_layout import features_name, thumbnails_name
from evenhand.functional.alike import pairs_alike

MOST_ROWS = 300_000
"""Rows among which copies are looked for."""
SIDE = 16
"""Cells along each side of a thumbnail that are compared."""
PLAIN = 10
"""Standard deviation over cells, of 255: with less in every color, an image is too plain to be compared."""
LEAST_IMAGE, MOST_CELL = 0.99, 25
"""Two thumbnails are of one image with this cosine at least, and no cell and color further apart, of 255."""
LEAST_FEATURES = 0.995
"""Cosine at which two rows of features, without thumbnails, are taken for one image."""


def near_copies(store: Path, parts: Sequence[int]) -> Sets | None:
    """Return the rows of a store's files that show one image, as far as thumbnails or features can tell.

    Thumbnails are compared on 16 × 16 cells, whatever the model is. On 2,000 photographs of 64 pixels, saved
    again as JPEG of quality 50 to 90, as PNG, or at 0.75 to 2 times their size, the cosine of cells, less
    the mean of each color, was 0.9945 or more, and no cell differed by more than 21. Of two different
    photographs it was 0.917 at most. Without thumbnails the cosine of features decides, which finds only
    what was hardly changed, and nothing if features are so close that sets chain.

    Parameters
    ----------
    store : Path
        Folder with the files of all parts.
    parts : sequence of int
        Rows of each.

    Returns
    -------
    sequence of sequence of int, or None
        Each set has two rows or more, in ascending order; None if there are more than `MOST_ROWS` rows, or
        they are too similar to distinguish.
    """
    if not parts or sum(parts) > MOST_ROWS:
        return None
    if (store / thumbnails_name(0)).is_file():
        return _same_images(np.concatenate([_cells(store / thumbnails_name(k)) for k in range(len(parts))]))
    return _same_features([map_npy(store / features_name(part)) for part in range(len(parts))])


def _cells(shard: Path) -> NDArray[np.uint8]:
    """Return the colors [n, SIDE², 3] of the thumbnails of a part."""
    cells = [_shrunk(jpeg) for jpeg in read_parquet(shard)["jpeg"].to_pylist()]
    return np.asarray(cells, dtype=np.uint8).reshape(-1, SIDE**2, 3)


def _shrunk(jpeg: bytes) -> NDArray[np.uint8]:
    small = Image.open(io.BytesIO(jpeg), formats=["JPEG"])
    rgb = small if small.mode == "RGB" else small.convert("RGB")  # Pillow copies what is RGB already
    return np.asarray(rgb.resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _same_images(cells: NDArray[np.uint8]) -> Sets | None:
    told = np.flatnonzero(cells.std(axis=1).max(axis=1, initial=0) >= PLAIN).astype(np.int64)

    def read(rows: Ints) -> Floats:
        values = cells[told[rows]].astype(np.float32)
        return _unit((values - values.mean(axis=1, keepdims=True)).reshape(len(rows), -1))

    def same(pairs: Ints) -> Ints:
        one, other = (cells[told[pairs[:, side]]].astype(np.int16) for side in (0, 1))
        close = np.abs(one - other).max(axis=(1, 2), initial=0) <= MOST_CELL
        return pairs[np.flatnonzero(close)]

    return _sets(cells[told], told, read, LEAST_IMAGE, same)


def _same_features(parts: Sequence[Floats]) -> Sets | None:
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    some = np.flatnonzero(np.concatenate([np.any(part, axis=1) for part in parts])).astype(np.int64)
    return _sets(
        (row for part in parts for row in part if row.any()),
        some,
        lambda rows: _unit(gathered(parts, ends, some[rows])),
        LEAST_FEATURES,
        _not_chained,
    )


def _not_chained(pairs: Ints) -> Ints:
    """Return the pairs [P, 2] of connected rows of which at least half are pairs.

    Copies of one image are all alike. Features that lie close together link a row to the next, and that to
    another, until most rows of a store are one set; such a chain says nothing of copies.
    """
    component = first_linked(pairs, int(pairs.max(initial=-1)) + 1)
    rows, links = np.bincount(component), np.bincount(component[pairs[:, 0]], minlength=len(component))
    dense = 4 * links[: len(rows)] >= rows * (rows - 1)
    return pairs[dense[component[pairs[:, 0]]]]


def _sets(
    values: Iterable[NDArray[Any]],
    numbers: Ints,
    read: Callable[[Ints], Floats],
    least: float,
    same: Callable[[Ints], Ints],
) -> Sets | None:
    """Return the connected rows of `values`, by their `numbers`: equal ones, and the pairs that are alike.

    Equal rows are joined first, so that a thousand equal ones are not half a million pairs.
    """
    first: dict[bytes, int] = {}
    equal = np.array([first.setdefault(row.tobytes(), k) for k, row in enumerate(values)], dtype=np.int64)
    own = np.unique(equal)
    pairs = np.zeros((0, 2), dtype=np.int64)
    if len(own) > 1:
        found = pairs_alike(lambda rows: read(own[rows]), len(own), least)
        if found is None:
            return None
        pairs = same(own[found])
    if len(own) == len(equal) and not len(pairs):
        return []
    label = first_linked(
        np.concatenate([pairs, np.stack([equal, np.arange(len(equal))], axis=1)]), len(equal)
    )
    order = np.argsort(label, kind="stable")
    groups = np.split(numbers[order], np.flatnonzero(np.diff(label[order])) + 1)
    return [rows.tolist() for rows in groups if len(rows) > 1]


def _unit(values: Floats) -> Floats:
    values = values / np.maximum(
        np.abs(values).max(axis=1, keepdims=True), 1e-12
    )  # their squares stay finite
    lengths: Floats = np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    return values / lengths
