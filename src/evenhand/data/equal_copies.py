"""The same image more than once, found by the bytes of the files."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from evenhand._files import file_sha256
from evenhand._typing import Strings
from evenhand.data.kept_together import Sets
from evenhand.data.places import Cell, LocalFile, Place, place_of

HEAD = 1 << 12
"""Bytes of a file's start that are compared first: images of one size differ there."""


def equal_copies(paths: Strings) -> Sets:
    """Return the rows whose files have the same bytes.

    Only files of equal size are read, and whole only where they begin alike. Files that cannot be read are
    left to extraction, which lists them, and so are those whose size is unknown: remote ones, and cells
    of Parquet files.

    Parameters
    ----------
    paths : str [N]
        Files.

    Returns
    -------
    sequence of sequence of int
        Each set has two rows or more.
    """
    places = [place_of(Path(path)) for path in paths.tolist()]
    return [
        rows
        for same_size in _by(_size, places, range(len(places)))
        for same_start in _by(_start, places, same_size)
        for rows in _by(_content, places, same_start)
    ]


def _by(key: Callable[[Place], Hashable], places: Sequence[Place], rows: Iterable[int]) -> Sets:
    """Return the rows with equal keys, two or more, together; rows that cannot be read are left out."""
    sets: defaultdict[Hashable, list[int]] = defaultdict(list)
    for row in rows:
        with suppress(OSError):
            sets[key(places[row])].append(row)
    return [found for found in sets.values() if len(found) > 1]


def _size(file: Place) -> int:
    size = 0 if file.remote or isinstance(file, Cell) else file.size()
    if size == 0:
        raise OSError("no content to compare")
    return size


def _start(file: Place) -> bytes:
    with file.open() as stream:
        return hashlib.sha256(stream.read(HEAD)).digest()


def _content(file: Place) -> str:
    return (
        file_sha256(file.path)
        if isinstance(file, LocalFile)
        else hashlib.sha256(file.open().read()).hexdigest()
    )
