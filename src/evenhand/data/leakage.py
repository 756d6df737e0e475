"""The same image more than once: in two splits, or under two labels."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from evenhand._files import atomic
from evenhand._typing import Strings
from evenhand.data.kept_together import Sets

SAME = "the same content"


def leakage(
    sets: Sets, ids: Strings, split: Strings, labels: Strings, *, drawn: bool, alike: str = SAME
) -> list[str]:
    """Say how many images have the same content as another one, where that matters.

    Parameters
    ----------
    sets : list of list of int
        What `equal_copies` or `near_copies` returned.
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


def _kinds(rows: Sequence[int], values: Strings) -> int:
    return len({str(values[row]) for row in rows})


def _pair(rows: Sequence[int], values: Strings) -> tuple[int, int]:
    return rows[0], next(row for row in rows if values[row] != values[rows[0]])
