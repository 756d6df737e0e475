"""Copies of one image in a store that is being finished: kept together, reported and listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from evenhand._parquet import text_column
from evenhand._typing import Ints, Strings
from evenhand.data.kept_together import Sets, kept_together
from evenhand.data.leakage import leakage, write_copies
from evenhand.data.near_copies import MOST_ROWS, near_copies
from evenhand.data.store_layout import COPY_OF, UNITS

COPIES = "copies.csv"
"""The list in the store's folder; it is not part of the store."""
ORDER = ("train", "validation", "test")
_READ = {"id", "label", "split", UNITS}


@dataclass(frozen=True)
class KnownCopies:
    """What was found before the images were read.

    Attributes
    ----------
    equal : sequence of sequence of str
        Ids of files with the same bytes, together.
    drawn : bool
        Whether the splits were drawn here, so that they may change.
    """

    equal: Sequence[Sequence[str]] = ()
    drawn: bool = False


def settle_copies(
    store: Path, rows: pa.Table, parts: Sequence[int], known: KnownCopies
) -> tuple[pa.Table, list[str]]:
    """Keep copies in one split where splits were drawn, list all in `copies.csv`, and say what was done.

    Of copies that a draw divided, all go to training if one of them is there, else to validation. So what is
    tested was not trained on, and no class loses its training rows. The column `copy_of` names the first copy
    of each image, so that rows that a fit holds out have no copy in training.

    Parameters
    ----------
    store : Path
        Folder with the files of all parts.
    rows : pa.Table
        `id`, `label`, `split` and what else the store knows of its rows.
    parts : sequence of int
        Rows of each part.
    known : KnownCopies
        Copies that are known already.

    Returns
    -------
    rows : pa.Table
        With the splits as they are now, and `copy_of` if there are copies and no attribute has that name.
    notes : list of str
        One sentence each.

    Raises
    ------
    EvenhandError
        If the disk refuses.
    """
    columns = {name: np.array(rows[name].to_pylist(), dtype=np.str_) for name in _READ & {*rows.column_names}}
    ids, split, labels = (columns[name] for name in ("id", "split", "label"))
    equal, near = _numbered(known.equal, ids), near_copies(store, parts)
    sets = _joined([*equal, *(near or [])], len(ids))
    new = [one for one in sets if one not in equal]
    notes = _not_told(len(ids)) if near is None else []
    notes += leakage(new, ids, split, labels, drawn=False, alike="nearly the same content")
    if known.drawn and new:
        settled = _together(split, kept_together(sets, columns.get(UNITS), len(ids)))
        notes = [note for note in notes if not note.startswith("leakage")]
        notes.append(
            f"{sum(map(len, new))} images are copies of others, some saved again; "
            f"copies are kept in one split ({(settled != split).sum()} moved)"
        )
        split = settled
        rows = rows.set_column(rows.column_names.index("split"), "split", text_column(split.tolist()))
    if sets and COPY_OF not in rows.column_names:
        rows = rows.append_column(COPY_OF, text_column(_first_copies(sets, ids)))
    if sets:
        write_copies(store / COPIES, sets, equal, ids, split, labels)
    return rows, notes


def _first_copies(sets: Sets, ids: Strings) -> list[str]:
    """Return the id of the first copy of every image; the empty string for an image without copies."""
    first = np.full(len(ids), "", dtype=ids.dtype)
    for rows in sets:
        first[list(rows)] = ids[rows[0]]
    names: list[str] = first.tolist()
    return names


def _numbered(names: Sequence[Sequence[str]], ids: Strings) -> list[list[int]]:
    """Return the row numbers of ids; images that could not be read have none."""
    number = {name: row for row, name in enumerate(ids.tolist())}
    sets = ([number[name] for name in one if name in number] for one in names)
    return [rows for rows in sets if len(rows) > 1]


def _not_told(n: int) -> list[str]:
    why = f"{n:,} rows are more than {MOST_ROWS:,}" if n > MOST_ROWS else "too many rows are nearly the same"
    return [f"copies that were saved again are not looked for: {why}"]


def _joined(sets: Sets, n: int) -> Sets:
    """Return sets without a row in common."""
    groups = kept_together(sets, None, n)
    if groups is None:
        return []
    order = np.argsort(groups, kind="stable")
    every = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return [rows.tolist() for rows in every if len(rows) > 1]


def _together(split: Strings, groups: Ints | None) -> Strings:
    """Return splits [N] in which each group has the first of `ORDER` that one of its rows has."""
    if groups is None:
        return split
    rank = np.array([ORDER.index(name) for name in split.tolist()], dtype=np.int64)
    least = np.full(int(groups.max()) + 1, len(ORDER), dtype=np.int64)
    np.minimum.at(least, groups, rank)
    return np.asarray(ORDER, dtype=np.str_)[least[groups]]
