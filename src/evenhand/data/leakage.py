"""The same image more than once: in two splits, or under two labels."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from evenhand._files import atomic, file_sha256
from evenhand._typing import Ints, Strings
from evenhand.data.places import Cell, LocalFile, Place, place_of

SAME = "the same content"
HEAD = 1 << 12
"""Bytes of a file's start that are compared first: images of one size differ there."""

Sets = Sequence[Sequence[int]]
"""Rows with the same content together, in ascending order."""


def copies(paths: Strings) -> Sets:
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


def leakage(
    sets: Sets, ids: Strings, split: Strings, labels: Strings, *, drawn: bool, alike: str = SAME
) -> list[str]:
    """Say how many images have the same content as another one, where that matters.

    Parameters
    ----------
    sets : list of list of int
        What `copies` returned.
    ids, split, labels : str [N]
        Names of the images, their splits, their labels.
    drawn : bool
        Whether the splits were drawn here, copies together.
    alike : str, default="the same content"
        What the images of a set have in common.

    Returns
    -------
    list of str
        One sentence for images under two labels, one for images in two splits, or on copies kept together.
    """
    conflicts = [rows for rows in sets if _kinds(rows, labels) > 1]
    leaks = [rows for rows in sets if _kinds(rows, split) > 1 and _kinds(rows, labels) == 1]
    notes = []
    if conflicts:
        one, other = _pair(conflicts[0], labels)
        notes.append(
            f"label conflict: {sum(map(len, conflicts))} images have {alike} as an image with "
            f"another label, for example {ids[one]} ({labels[one]}) and {ids[other]} ({labels[other]})"
        )
    if leaks:
        one, other = _pair(leaks[0], split)
        notes.append(
            f"leakage: {sum(map(len, leaks))} images have {alike} as an image in another split, "
            f"for example {ids[one]} ({split[one]}) and {ids[other]} ({split[other]})"
        )
    if drawn and sets:
        notes.append(f"{sum(map(len, sets))} images are copies of others: copies are kept in one split")
    return notes


def write_copies(path: Path, sets: Sets, equal: Sets, ids: Strings, split: Strings, labels: Strings) -> None:
    """Write every image that is a copy, with the image that it is a copy of.

    The columns are `kind` (`label conflict`, `leakage`, or `copy` within one split), then `id`, `split` and
    `label` of both, and `content`: `the same` where the files have the same bytes, else `nearly the same`.

    Parameters
    ----------
    path : Path
        A `.csv`.
    sets, equal : list of list of int
        Rows that show one image, and those of them whose files have the same bytes.
    ids, split, labels : str [N]
        As for `leakage`.

    Raises
    ------
    EvenhandError
        If the disk refuses.
    """
    bytes_of = {row: number for number, rows in enumerate(equal) for row in rows}
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["kind", "id", "split", "label", "copy_id", "copy_split", "copy_label", "content"])
        for rows in sets:
            for kind, one, other in _pairs(rows, split, labels):
                sides = [str(values[row]) for row in (one, other) for values in (ids, split, labels)]
                same = one in bytes_of and bytes_of[one] == bytes_of.get(other)
                writer.writerow([kind, *sides, "the same" if same else "nearly the same"])


def _pairs(rows: Sequence[int], split: Strings, labels: Strings) -> Iterable[tuple[str, int, int]]:
    """Pair each row of a set with the first that makes it a conflict, a leak, or else a copy."""
    for place, one in enumerate(rows):
        for kind, values in (("label conflict", labels), ("leakage", split)):
            other = next((row for row in rows[:place] if values[row] != values[one]), None)
            if other is not None:
                yield kind, other, one
                break
        else:
            if place:
                yield "copy", rows[0], one


def kept_together(sets: Sets, units: Strings | None, n: int) -> Ints | None:
    """Return numbers [N], one for all rows that a drawn split must not divide; None where any may be.

    Parameters
    ----------
    sets : list of list of int
        Copies.
    units : str [N] or None
        Names of what belongs together, as patients; the empty string for a row of its own.
    n : int
        Rows.
    """
    if not sets and units is None:
        return None
    joined = list(range(n))

    def root(row: int) -> int:
        while joined[row] != row:
            joined[row] = joined[joined[row]]
            row = joined[row]
        return row

    first: dict[str, int] = {}
    pairs = [(rows[0], row) for rows in sets for row in rows[1:]]
    named = [] if units is None else [(row, name) for row, name in enumerate(units.tolist()) if name]
    pairs += [(first.setdefault(name, row), row) for row, name in named]
    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        joined[high] = low
    return np.asarray([root(row) for row in range(n)], dtype=np.int64)


def same_names(names: Strings) -> Sets:
    """Return the rows of one name together, where two or more have it; the empty string is no name."""
    sets: defaultdict[str, list[int]] = defaultdict(list)
    for row in np.flatnonzero(names != "").tolist():
        sets[str(names[row])].append(row)
    return [rows for rows in sets.values() if len(rows) > 1]


def _kinds(rows: Sequence[int], values: Strings) -> int:
    return len({str(values[row]) for row in rows})


def _pair(rows: Sequence[int], values: Strings) -> tuple[int, int]:
    return rows[0], next(row for row in rows if values[row] != values[rows[0]])


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
