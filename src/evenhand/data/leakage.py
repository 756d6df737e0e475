"""The same picture in two splits."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from evenhand._files import sha256
from evenhand._typing import Strings
from evenhand.data.archives import open_file, size_of, split_archive
from evenhand.data.files import is_remote
from evenhand.data.parquet_cells import split_cell


def leakage(paths: Strings, ids: Strings, split: Strings) -> str | None:
    """Say how many images have the same bytes as one in another split.

    Only files of equal size in different splits are hashed. Files that cannot be read are left to
    extraction, which lists them, and so are those whose size is not at hand: remote ones, and cells of
    Parquet files.

    Parameters
    ----------
    paths, ids, split : str [N]
        Files, their names, their splits.

    Returns
    -------
    str or None
        One sentence with the count and a pair as example; None if there is no such image.
    """
    shared = [
        rows
        for same_size in _across_splits(_by(_size, paths, range(len(paths))), split)
        for rows in _across_splits(_by(_content, paths, same_size), split)
    ]
    if not shared:
        return None
    first = min(shared[0])
    other = next(row for row in shared[0] if split[row] != split[first])
    count = sum(len(rows) for rows in shared)
    return (
        f"leakage: {count} images have the same content as an image in another split, "
        f"for example {ids[first]} ({split[first]}) and {ids[other]} ({split[other]})"
    )


def _across_splits(sets: Iterable[list[int]], split: Strings) -> list[list[int]]:
    return [rows for rows in sets if len(np.unique(split[rows])) > 1]


def _by(key: Callable[[Path], Hashable], paths: Strings, rows: Iterable[int]) -> list[list[int]]:
    """Return the rows with equal keys together; rows whose file cannot be read are left out."""
    sets: defaultdict[Hashable, list[int]] = defaultdict(list)
    for row in rows:
        with suppress(OSError):
            sets[key(Path(str(paths[row])))].append(row)
    return list(sets.values())


def _size(path: Path) -> int:
    size = 0 if is_remote(path) or split_cell(path) else size_of(path)
    if size == 0:
        raise OSError("no content to compare")
    return size


def _content(path: Path) -> str:
    return sha256(path) if split_archive(path) is None else hashlib.sha256(open_file(path).read()).hexdigest()
