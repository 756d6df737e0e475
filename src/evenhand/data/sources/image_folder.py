"""Folders with tables of their images: ImageFolder's metadata, or one table for each split."""

from __future__ import annotations

import os
import posixpath
from dataclasses import replace
from pathlib import Path

import numpy as np

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.archives import is_archive, members
from evenhand.data.attributes import divided
from evenhand.data.file_names import is_litter
from evenhand.data.files import is_file, is_remote, names_below
from evenhand.data.labels import some
from evenhand.data.sources.find_images import find_images, tables_beside
from evenhand.data.sources.levels import CLASS, SPLIT, guess
from evenhand.data.sources.listing import Listing, Options, refuse
from evenhand.data.sources.table_rows import folders_of, in_place, rows_of
from evenhand.data.split_names import splits_named
from evenhand.data.tables.read import read_columns

METADATA = ("metadata.csv", "metadata.parquet", "metadata.jsonl")
_DEPTH = 2
"""How deep metadata tables are looked for: in split folders, and in class folders below them."""

Tables = dict[str, Path]
"""Table files by the folder that their paths start from, relative to the root, or by the name of a split."""


def metadata_files(root: Path) -> Tables:
    """Return the ImageFolder metadata tables below a folder, by the folder that each is in.

    Raises
    ------
    EvenhandError
        If one folder has several metadata tables.
    """
    if is_archive(root) or is_remote(root):
        names = members(root) if is_archive(root) else names_below(root)
        present = [
            name for name in names if posixpath.basename(name) in METADATA and name.count("/") <= _DEPTH
        ]
    else:
        present = _metadata_below(root, "", _DEPTH)
    found: Tables = {}
    for name in sorted(present):
        folder = posixpath.dirname(name)
        if folder in found:
            both = sorted((found[folder].name, posixpath.basename(name)))
            raise EvenhandError(
                f"{root / folder} has several metadata tables, {' and '.join(both)}; keep one"
            )
        found[folder] = root / name
    return found


def _metadata_below(root: Path, folder: str, depth: int) -> list[str]:
    """Return the metadata tables in a folder and in its subfolders down to a depth, relative to `root`."""
    place = root / folder
    found = [posixpath.join(folder, name) for name in METADATA if is_file(place / name)]
    if depth:
        with os.scandir(place) as entries:
            inside = sorted(e.name for e in entries if e.is_dir() and not is_litter(e.name))
        for name in inside:
            found += _metadata_below(root, posixpath.join(folder, name), depth - 1)
    return found


def split_tables(root: Path) -> Tables:
    """Return the tables that are named after splits, such as `train.csv` and `test.csv`, by split.

    There are none if fewer than two splits have a table, or two tables are of the same split. A folder whose
    split folders have subfolders is a tree of class folders, whatever tables are next to them.
    """
    if is_archive(root):
        return {}
    names = {posixpath.splitext(name)[0]: name for name in tables_beside(root)}
    splits = splits_named(names)
    if len(set(splits.values())) < 2 or len(set(splits.values())) < len(splits):
        return {}
    folders = _split_folders(root).values()
    nested = any(
        entry.is_dir() and not is_litter(entry.name) for path in folders for entry in os.scandir(path)
    )
    return {} if nested else {splits[stem]: root / names[stem] for stem in splits}


def _split_folders(root: Path) -> dict[str, Path]:
    """Return the subfolders that are named after splits, by split."""
    with os.scandir(root) as entries:
        named = splits_named([entry.name for entry in entries if entry.is_dir()])
    return {split: root / name for name, split in named.items()}


def list_image_folder(root: Path, tables: Tables, options: Options) -> Listing:
    """List the images that ImageFolder metadata tables name. Labels are a column, or else the class folders.

    Raises
    ------
    EvenhandError
        If a table cannot be read or lacks a column, or if none of its images exists.
    """
    read = {folder: read_columns(table) for folder, table in tables.items()}
    top = _top(root, options)
    parts = {
        folder: rows_of(columns, options, top=top, folder=folder, from_folders=True)
        for folder, columns in read.items()
    }
    columns_there = {name for columns in read.values() for name in columns.values}
    if "" not in tables and not columns_there & {options.label, options.split}:
        parts |= _elsewhere(root, tuple(tables), options)
    ids = np.concatenate([part.ids for part in parts.values()])
    splits = _folder_splits(ids)
    if all(part.splits is not None for part in parts.values()):
        splits = np.concatenate([part.splits for part in parts.values() if part.splits is not None])
    joined = _joined(parts, splits, options)
    if not (is_archive(root) or is_remote(root)):
        joined = in_place(joined, root)
    return replace(joined, notes=(*joined.notes, *_unlisted(root, joined.ids)))


def list_split_tables(root: Path, tables: Tables, options: Options) -> Listing:
    """List the images that the tables of the splits name.

    Raises
    ------
    EvenhandError
        If a table cannot be read or lacks a column, or if none of its images exists.
    """
    top, folders = _top(root, options), _split_folders(root)
    parts = {}
    for split, table in tables.items():
        rows = rows_of(read_columns(table), options, top=top)
        if split in folders and not (top / str(rows.ids[0])).exists():
            rows = rows_of(read_columns(table), options, top=top, folder=folders[split].name)
        parts[split] = in_place(rows, table)
    splits = np.concatenate([np.full(len(part.ids), split) for split, part in parts.items()])
    joined = _joined(parts, splits, options)
    read = ", ".join(table.name for table in tables.values())
    return replace(joined, notes=(f"the splits are read from the tables {read}", *joined.notes))


def _top(root: Path, options: Options) -> Path:
    """Return the folder that the paths in tables start from: by default that of the tables."""
    if options.layout is not None:
        refuse("layout", options.layout, f"{root} has tables of its images")
    return options.root.absolute() if options.root is not None else root


def _joined(parts: dict[str, Listing], splits: Strings | None, options: Options) -> Listing:
    """Return the rows of several tables as one listing. What makes groups is decided for all rows at once."""
    names = dict.fromkeys(name for part in parts.values() for name in part.attributes)
    attributes = {
        name: np.concatenate([p.attributes.get(name, np.full(len(p.ids), "")) for p in parts.values()])
        for name in names
    }
    units = [part.units for part in parts.values() if part.units is not None]
    first = next(iter(parts.values()))
    labels = np.concatenate([part.labels for part in parts.values()])
    groups, others, notes = divided(attributes, labels, options.attributes)
    return Listing(
        first.root,
        np.concatenate([part.ids for part in parts.values()]),
        labels,
        splits,
        groups,
        tuple(dict.fromkeys([*(note for part in parts.values() for note in part.notes), *notes])),
        np.concatenate(units) if units else None,
        others,
    )


def _elsewhere(root: Path, folders: tuple[str, ...], options: Options) -> dict[str, Listing]:
    """Return the images of class folders that have no metadata table. Their attributes are unknown."""
    found = [name for name in find_images(root) if not name.startswith(tuple(f"{f}/" for f in folders))]
    places = folders_of(np.asarray(found, dtype=np.str_))
    levels = guess(folders_of(np.asarray(find_images(root))))
    kept = [row for row, place in enumerate(places) if levels.holds(place)]
    if not kept:
        return {}
    labels = np.asarray([levels.of(CLASS, places[row]) for row in kept])
    units = np.full(len(kept), "") if options.split_by else None
    ids = np.asarray([found[row] for row in kept])
    told = number_of(len(kept), "image is", "images are")
    note = f"{told} in folders without a metadata table: their attributes are unknown"
    return {"": Listing(_top(root, options), ids, labels, None, notes=(note,), units=units)}


def _folder_splits(ids: Strings) -> Strings | None:
    """Return the split of each image by its folders; None unless they tell it for every image."""
    places = folders_of(ids)
    levels = guess(places)
    found = [levels.of(SPLIT, place) or _shallow(levels.roles, place) for place in places]
    named = splits_named(sorted(set(found)))
    return np.asarray([named[name] for name in found]) if all(name in named for name in found) else None


def _shallow(roles: tuple[str, ...], folders: tuple[str, ...]) -> str:
    """Return the split folder that a file is directly in, because its class is a column; "" for none."""
    place = roles.index(SPLIT) if SPLIT in roles else len(folders)
    return folders[place] if place < len(folders) else ""


def _unlisted(root: Path, ids: Strings) -> tuple[str, ...]:
    """Return a note on images that no metadata table lists; empty if there are none."""
    found = find_images(root)
    extra = sorted(set(found) - {str(name) for name in ids})
    if not extra:
        return ()
    listed = {folders[0] for folders in folders_of(ids) if folders}
    whole = sorted({name.split("/")[0] for name in extra if "/" in name} - listed)
    more = f"; of the folders {some(whole)} none is listed" if whole else ""
    told = number_of(
        len(extra), "image is in no metadata table and is", "images are in no metadata table and are"
    )
    return (f"{told} left out, for example {extra[0]}{more}",)
