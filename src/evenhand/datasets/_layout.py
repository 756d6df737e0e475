"""Shared code of loaders of files on disk: find, decode, count, and report what is wrong."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Bools, Strings
from evenhand.data.labels import class_codes, some
from evenhand.data.manifest import Manifest
from evenhand.data.split_notes import check_splits
from evenhand.data.tables.columns import Columns

Sizes = Mapping[str, int]
"""Rows by split, and by "train, class / attribute value" for groups."""


def locate(title: str, data: Path | None, names: Sequence[str], folders: Sequence[str] = ()) -> Path:
    """Return the file or folder called one of `names`, in `data` or one of its `folders`.

    Raises
    ------
    EvenhandError
        If there is none; the sentence lists what is there instead.
    """
    data = require(title, data, names[0])
    found = next(_present(data, names, folders), None)
    if found is None:
        inside = sorted(entry.name for entry in data.iterdir() if not entry.name.startswith("."))
        where = "".join(f", nor in {folder}/" for folder in folders)
        raise EvenhandError(
            f"{title}: {' or '.join(names)} is not in {data}{where}; the folder holds "
            f"{some(inside) or 'nothing'}; give as data the unpacked folder, its files not renamed"
        )
    return found


def require(title: str, data: Path | None, name: str) -> Path:
    """Return `data` if it is a folder.

    Raises
    ------
    EvenhandError
        If it is None, missing, or not a folder.
    """
    if data is None:
        raise EvenhandError(f"data: {title} needs its files; give the folder that holds {name}")
    if not data.is_dir():
        raise EvenhandError(f"data: {data} is not a folder with {title}; give the one that holds {name}")
    return data.absolute()


def _present(data: Path, names: Sequence[str], folders: Sequence[str]) -> Iterator[Path]:
    for folder in ("", *folders):
        for name in names:
            if (data / folder / name).exists():
                yield data / folder / name


def coded(title: str, columns: Columns, column: str, meaning: Mapping[str, str]) -> Strings:
    """Return a column's values as the words that they stand for.

    Raises
    ------
    EvenhandError
        If the column is missing or holds a value without meaning; the sentence names the row.
    """
    values = columns.get(column, argument=title)
    words = [meaning.get(str(value)) for value in values]
    if None in words:
        row = words.index(None)
        known = ", ".join(f"{value or 'blank'} ({word or 'unknown'})" for value, word in meaning.items())
        raise EvenhandError(
            f"{title}: {columns.path} has {str(values[row])!r} in column {column!r} at row {row + 1}; "
            f"the allowed values are {known}"
        )
    return np.asarray(words, dtype=np.str_)


def count(split: Strings, labels: Strings, attribute: Strings) -> Counter[str]:
    """Return the rows of each split, and of each group "train, class / value" of the training split."""
    train: Bools = split == "train"
    groups = zip(labels[train], attribute[train], strict=True)
    return Counter(split.tolist()) + Counter(f"train, {label} / {value}" for label, value in groups)


def check_sizes(title: str, found: Sizes, expected: Sizes | None) -> None:
    """Refuse other sizes than the benchmark's, if any are expected.

    Raises
    ------
    EvenhandError
        If a size differs; the sentence names the first.
    """
    for name, size in (expected or {}).items():
        if found.get(name, 0) != size:
            raise EvenhandError(
                f"{title}: {name} has {found.get(name, 0):,} rows, {title} has {size:,}; use the original "
                "files, or pass expected=null to take these as they are"
            )


def check_pictures(title: str, listed: str, paths: Sequence[str] | Strings) -> None:
    """Refuse a list that names images which are not there.

    Raises
    ------
    EvenhandError
        If images are missing; the sentence counts them and names the first.
    """
    missing = [str(path) for path in paths if not os.path.isfile(path)]  # noqa: PTH113 - 200,000 of them
    if missing:
        raise EvenhandError(
            f"{title}: {len(missing):,} of the {len(paths):,} images that {listed} lists are missing, "
            f"the first is {missing[0]}; unpack the images again, names unchanged"
        )


def manifest_of(
    root: Path,
    ids: Sequence[str] | Strings,
    labels: Strings,
    split: Strings,
    attributes: dict[str, Strings],
    notes: Sequence[str] = (),
) -> Manifest:
    """Return rows as a manifest; ids are the paths relative to `root`.

    Raises
    ------
    EvenhandError
        If there is one class, or one without training rows.
    """
    classes, y = class_codes(labels)
    untested = check_splits(classes, y, split)
    names = np.asarray(ids, dtype=np.str_)
    paths = np.asarray([os.path.join(root, name) for name in names], dtype=np.str_)  # noqa: PTH118
    told = (*notes, *untested)
    return Manifest(names, paths, y, split, attributes, tuple(classes), str(root), told)
