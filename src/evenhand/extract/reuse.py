"""Reuse the features of an earlier store if images, labels, names or prompts have changed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._cores import cores
from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._typing import Ints
from evenhand.data.images.decode import UnreadableImage, read_image
from evenhand.data.images.properties import PROPERTIES
from evenhand.data.images.thumbnail import thumbnail_of
from evenhand.data.lock import FolderLock
from evenhand.data.manifest import Manifest
from evenhand.data.places import total_bytes
from evenhand.data.store import check_shares_images, load_store, read_skipped, read_thumbnails
from evenhand.data.store_card import read_card
from evenhand.data.store_identity import may_differ
from evenhand.data.store_layout import CARD, OTHERS, json_text
from evenhand.data.table import FeatureTable
from evenhand.extract.short_side import KEY
from evenhand.extract.trunk import Embedded

OF_NO_ROW = frozenset(
    {
        "batch_size",
        OTHERS,
        "image_bytes",
        "manifest_sha256",
        "max_pixels",
        "part_rows",
        "prompts",
        "shots",
        "split_by",
    }
)
"""Keys of a store's identity on which the features of an image do not depend."""
BLOCK = 4096
"""Images whose thumbnails are compared at a time."""


@dataclass(frozen=True)
class Earlier:
    """A store whose features are reused.

    Attributes
    ----------
    table : FeatureTable
        The store.
    rows : int64 [N]
        Row of the store for each image of the manifest; -1 for images to embed.
    gone : int
        Images of the store that the manifest lacks.
    """

    table: FeatureTable
    rows: Ints
    gone: int

    @property
    def fresh(self) -> Ints:
        """Positions of the images to embed."""
        return np.flatnonzero(self.rows < 0)

    def taken(self, part: range, dtype: str, thumbnails: bool) -> Embedded:
        """Return the stored data of the images at the positions of a part."""
        found = np.arange(part.start, part.stop)[self.rows[part.start : part.stop] >= 0]
        rows = self.rows[found]
        assert self.table.source is not None
        small = read_thumbnails(self.table.source, rows) if thumbnails else []
        unknown = np.full(len(self.table), "")
        columns = [self.table.properties.get(name, unknown)[rows].tolist() for name in PROPERTIES]
        properties = list(zip(*columns, strict=True))
        return Embedded(self.table.features(rows).astype(dtype), found.tolist(), small, [], properties)

    def note(self) -> str:
        """Say how many images are reused, embedded, and gone."""
        fresh = len(self.fresh)
        return (
            f"{number_of(len(self.rows) - fresh, 'image is', 'images are')} reused from the existing store, "
            f"{number_of(fresh, 'new or changed one is', 'new or changed ones are')} embedded, and "
            f"{number_of(self.gone, 'is gone', 'are gone')}"
        )


def earlier_store(out: Path, identity: Mapping[str, Any], manifest: Manifest) -> Earlier | None:
    """Return a finished store in `out` whose features a new one of this identity may use.

    The result is None if there is no such store, it has the same identity, or its features are of another
    kind.

    Raises
    ------
    EvenhandError
        If the store is damaged, or none of its images is among those of the manifest.
    """
    if not (out / CARD).is_file():
        return None
    known = read_card(out).identity
    now = json.loads(json_text(dict(identity)))  # as the known one went: tuples become lists
    differing = {key for key in {*known, *now} if known.get(key) != now.get(key)}
    free = may_differ(known, now)
    if differing <= free or not differing <= OF_NO_ROW | free:
        return None
    table = load_store(out)
    check_shares_images(out, manifest.ids.tolist())
    row_of = {name: row for row, name in enumerate(table.ids.tolist())}
    rows = np.array([row_of.get(name, -1) for name in manifest.ids.tolist()], dtype=np.int64)
    skipped = read_skipped(out)
    before = dict(zip(table.ids.tolist(), table.paths.tolist(), strict=True))
    before |= dict(zip(skipped["id"].to_pylist(), skipped["path"].to_pylist(), strict=True))
    if not _untouched(before, manifest, known, out / CARD):
        rows = _where_same_thumbnail(table, rows, manifest, known.get(KEY))
    return Earlier(table, rows, len(set(before) - set(manifest.ids.tolist())))


@contextmanager
def replacing(out: Path, identity: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the folder in which the store is written that will replace the one in `out`.

    It is next to `out`, named by the identity, so after a kill the same command continues in it.

    Raises
    ------
    EvenhandError
        If another process writes `out`, or the system refuses.
    """
    out = out.resolve()
    mark = hashlib.sha256(json_text(dict(identity)).encode()).hexdigest()[:12]
    growing = out.with_name(f".{out.name}.{mark}.update")
    lock = FolderLock(out)
    try:
        for other in set(_updates(out)) - {growing}:
            shutil.rmtree(other, ignore_errors=True)
        yield growing
        retired = out.with_name(f".{out.name}.retired")
        shutil.rmtree(retired, ignore_errors=True)
        out.rename(retired)
        growing.rename(out)
        shutil.rmtree(retired, ignore_errors=True)
    except OSError as error:
        raise EvenhandError(f"cannot replace {out}: {error.strerror or error}") from error
    finally:
        lock.release()


def settle(out: Path) -> None:
    """Move the new store into its place if a process was killed after it had moved the old one away."""
    out = out.resolve()
    if not out.exists() and out.parent.is_dir():
        for growing in _updates(out):
            if (growing / CARD).is_file():
                growing.rename(out)
                shutil.rmtree(out.with_name(f".{out.name}.retired"), ignore_errors=True)
                return


def _updates(out: Path) -> list[Path]:
    start, end = f".{out.name}.", ".update"
    return [path for path in out.parent.iterdir() if path.name.startswith(start) and path.name.endswith(end)]


def _untouched(before: Mapping[str, str], manifest: Manifest, known: Mapping[str, Any], card: Path) -> bool:
    """Return whether no image of a store has moved, changed in size, or been written since."""
    now = dict(zip(manifest.ids.tolist(), manifest.paths.tolist(), strict=True))
    if any(now.get(name) != path for name, path in before.items()):
        return False
    made = card.stat().st_mtime_ns
    return total_bytes(before.values()) == known.get("image_bytes") and not any(
        _written(path) > made for path in before.values()
    )


def _written(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:  # in an archive, or remote
        return 0


def _where_same_thumbnail(
    table: FeatureTable, rows: Ints, manifest: Manifest, short_side: int | None
) -> Ints:
    """Return `rows` with -1 for images that do not look as their thumbnail in the store."""
    assert table.source is not None
    same = np.full(len(rows), -1, dtype=np.int64)
    found = np.flatnonzero(rows >= 0)
    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(found), BLOCK):
            block = found[start : start + BLOCK]
            kept = read_thumbnails(table.source, rows[block])
            if not kept:
                return same
            paths = manifest.paths[block].tolist()
            alike = pool.map(partial(_looks_as, short_side=short_side), paths, kept)
            chosen = block[np.fromiter(alike, dtype=bool, count=len(block))]
            same[chosen] = rows[chosen]
    return same


def _looks_as(path: str, thumbnail: bytes, short_side: int | None) -> bool:
    try:
        return thumbnail_of(read_image(Path(path), short_side)) == thumbnail
    except UnreadableImage:
        return False
