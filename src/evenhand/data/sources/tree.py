"""Trees of class folders: which images they list, and notes on what is left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.archives import is_archive
from evenhand.data.file_names import is_litter
from evenhand.data.files import is_remote
from evenhand.data.labels import some
from evenhand.data.sources.find_images import find_images, instead, tables_beside
from evenhand.data.sources.levels import CLASS, SPLIT, Folders, Levels, guess, repeated_below, uneven_below
from evenhand.data.sources.listing import Listing, Options, refuse
from evenhand.data.sources.masks import masks_note
from evenhand.data.split_names import read_as, splits_named


def list_tree(root: Path, options: Options) -> Listing:
    """List a tree of class folders, with or without split folders above or below them.

    Raises
    ------
    EvenhandError
        If there are no class folders, or an option names a column, because a tree has none.
    """
    levels = None if options.layout is None else Levels.parse(options.layout)
    _check(root, options, levels)
    found = find_images(root)
    files = [PurePosixPath(name).parts[:-1] for name in found]
    known = levels or guess(files)
    inside = [place for place, folders in enumerate(files) if known.holds(folders)]
    ids = [found[place] for place in inside]
    classes = {known.of(CLASS, files[place]) for place in inside}
    tables = tables_beside(root)
    if not inside:
        raise _no_classes(root, options, known)
    if len(classes) < 2 and tables:
        raise EvenhandError(f"{root} has only one class folder, {some(classes)}; {instead(root, tables[0])}")
    notes = [
        *([] if levels else _remarks(files, known)),
        *([masks] if (masks := masks_note(ids)) else []),
        *_left_out(sorted(set(found).difference(ids))),
        *_vanished(root, known, classes),
        *_unread(root, tables),
    ]
    return Listing(
        root,
        np.asarray(ids, dtype=np.str_),
        _column([known.of(CLASS, folders) for folders in files], inside),
        _column(_splits(files, known), inside) if SPLIT in known.roles else None,
        {name: _column([known.of(name, folders) for folders in files], inside) for name in known.attributes},
        notes=tuple(notes),
        units=_column([known.of(options.split_by, f) for f in files], inside) if options.split_by else None,
    )


def _check(root: Path, options: Options, levels: Levels | None) -> None:
    """Refuse options that name neither a level of the layout nor anything else in a tree."""
    named = () if levels is None else levels.attributes
    why = f"{root} has no metadata table"
    for name in options.attributes or ():
        if name not in named:
            refuse("attribute_columns", name, why, "name it in `layout`")
    if options.split_by and options.split_by not in named:
        refuse("split_by", options.split_by, why, "name it in `layout`, as class/patient")
    refuse_columns(options, why)


def refuse_columns(options: Options, why: str) -> None:
    """Refuse options that need a table, which name a column or the folder that paths start from.

    Raises
    ------
    EvenhandError
        If such an option is given.
    """
    if options.label != "label":
        refuse("label_column", options.label, why)
    if options.split != "split":
        refuse("split_column", options.split, why)
    if options.path is not None:
        refuse("path_column", options.path, why)
    if options.root is not None:
        refuse("root", str(options.root), why)


def _no_classes(root: Path, options: Options, levels: Levels) -> EvenhandError:
    """Return the error for a folder of images without class folders."""
    if options.layout is not None:
        return EvenhandError(
            f"layout: no image of {root} is in {len(levels.roles)} levels of folders, as {levels} says; "
            "write a word for each level"
        )
    tables = tables_beside(root)
    hint = f"; {instead(root, tables[0])}" if tables else ""
    return EvenhandError(
        f"{root} has neither class folders nor a metadata table; put each class's images into a folder "
        f"of its own, or add metadata.csv with the columns file_name and {options.label}{hint}"
    )


def _remarks(files: Sequence[Folders], levels: Levels) -> list[str]:
    """Return notes on what was guessed and may be wrong."""
    notes = []
    if SPLIT in levels.roles:
        notes += read_as(splits_named(sorted({levels.of(SPLIT, folders) for folders in files} - {""})))
    if levels.roles[-2:] == (CLASS, SPLIT):
        notes.append("the splits are read from the folders below each class; if they are not, give a layout")
    return notes + [note for note in (repeated_below(files, levels), uneven_below(files, levels)) if note]


def _splits(files: Sequence[Folders], levels: Levels) -> list[str]:
    """Return the split of each file by its folder."""
    named = splits_named(sorted({levels.of(SPLIT, folders) for folders in files}))
    return [named.get(name, name) for name in (levels.of(SPLIT, folders) for folders in files)]


def _left_out(loose: Sequence[str]) -> list[str]:
    """Return a note on images outside the class folders; empty if there are none."""
    if not loose:
        return []
    where = "outside the class folders"
    told = number_of(len(loose), f"image {where} is", f"images {where} are")
    return [f"{told} left out, for example {loose[0]}"]


def _vanished(root: Path, levels: Levels, classes: set[str]) -> list[str]:
    """Return a note on folders that would be classes if they held an image; empty if there are none."""
    if is_archive(root) or is_remote(root):
        return []
    depth = levels.roles.index(CLASS)
    places: dict[str, list[Path]] = {}
    for path in _folders_at(root, depth):
        if path.name not in classes:
            places.setdefault(path.name, []).append(path)
    if not places:
        return []
    told = [f"{name} ({_kinds(paths)})" for name, paths in sorted(places.items())]
    return [f"no image is in {len(told)} folders, which make no class: {some(told)}"]


def _folders_at(root: Path, depth: int) -> list[Path]:
    """Return the folders at a depth below `root`; 0 for those directly in it."""
    level = [root]
    for _ in range(depth + 1):
        level = [path for above in level for path in sorted(above.iterdir()) if _is_folder(path)]
    return level


def _is_folder(path: Path) -> bool:
    return not is_litter(path.name) and path.is_dir()


def _kinds(folders: Sequence[Path]) -> str:
    """Return the most frequent extensions of the files in some folders, with their numbers."""
    counts: Counter[str] = Counter()
    for folder in folders:
        for _, _, names in os.walk(folder):
            counts.update(PurePosixPath(name).suffix.lower() or "no suffix" for name in names)
    return ", ".join(f"{count} × {kind}" for kind, count in counts.most_common(3)) or "empty"


def _unread(root: Path, tables: Sequence[str]) -> list[str]:
    """Return a note on tables that are not read; empty if there are none."""
    if not tables:
        return []
    place = "" if is_archive(root) else "give it in place of the folder, or "
    return [
        f"the table {some(tables, 3)} in {root} is not read: {place}call it metadata.csv to use its columns"
    ]


def _column(values: Sequence[str], rows: Sequence[int]) -> Strings:
    return np.asarray([values[row] for row in rows], dtype=np.str_)
