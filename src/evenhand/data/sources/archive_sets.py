"""Several archives in a folder: one for each split, or one with a metadata table next to it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.archives import members
from evenhand.data.file_names import has_image_name
from evenhand.data.sources.find_images import tables_beside
from evenhand.data.sources.image_folder import metadata_files
from evenhand.data.sources.listing import Listing, Options, refuse
from evenhand.data.sources.table_rows import list_rows
from evenhand.data.sources.tree import refuse_columns
from evenhand.data.split_names import split_in_name
from evenhand.data.tables.column_names import PATH_COLUMNS
from evenhand.data.tables.columns import Columns
from evenhand.data.tables.read import read_columns


def list_archives(
    root: Path, archives: Sequence[Path], options: Options, list_one: Callable[[Path, Options], Listing]
) -> Listing:
    """List the images of archives; ids begin with the archive's path below `root`.

    A metadata table next to the archives names the images in them. Without one each archive is listed by
    itself, and its split is its own or a word of its name, as in `train.zip`. Archives without folders whose
    names tell no split are a class each, as ImageNet's `n01440764.tar`.

    Raises
    ------
    EvenhandError
        If an archive cannot be listed, or the table names an image that is in none or in several.
    """
    tables = metadata_files(root) if options.labeled else {}
    if tables:
        return list_rows(_placed(root, archives, read_columns(next(iter(tables.values())))), options)
    if options.labeled and _hold_a_class_each(archives):
        parts = [_class_part(root, archive, options) for archive in archives]
        told = f"the classes are the names of the {len(archives)} archives"
        parts[0] = replace(parts[0], notes=(told,))
    else:
        with _tables_named(root):
            parts = [_part(root, archive, options, list_one) for archive in archives]
    splits = [part.splits for part in parts]
    given = [split for split in splits if split is not None]
    return Listing(
        root,
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate(given) if len(given) == len(parts) else None,
        _joined(parts, [part.attributes for part in parts]),
        tuple(note for part in parts for note in part.notes),
        others=_joined(parts, [part.others for part in parts]),
    )


def _joined(parts: Sequence[Listing], columns: Sequence[dict[str, Strings]]) -> dict[str, Strings]:
    """Return the columns of all parts; what one lacks is unknown there."""
    unknown = [np.full(len(part.ids), "") for part in parts]
    return {
        name: np.concatenate([own.get(name, empty) for own, empty in zip(columns, unknown, strict=True)])
        for name in dict.fromkeys(name for own in columns for name in own)
    }


def _part(
    root: Path, archive: Path, options: Options, list_one: Callable[[Path, Options], Listing]
) -> Listing:
    part = list_one(archive, options)
    place = part.root.relative_to(root).as_posix()
    ids = np.asarray([f"{place}/{name}" for name in part.ids], dtype=np.str_)
    told = split_in_name(archive.relative_to(root).as_posix())
    splits = np.full(len(ids), told) if part.splits is None and told else part.splits
    return replace(part, ids=ids, splits=splits)


def _hold_a_class_each(archives: Sequence[Path]) -> bool:
    if len({archive.stem for archive in archives}) < 2 or any(split_in_name(file.stem) for file in archives):
        return False
    return all(
        len({posixpath.dirname(name) for name in members(archive) if has_image_name(name)}) == 1
        for archive in archives
    )


def _class_part(root: Path, archive: Path, options: Options) -> Listing:
    why = "the classes are the names of archives"
    refuse_columns(options, why)
    if options.layout is not None:
        refuse("layout", options.layout, why)
    place = archive.relative_to(root)
    names = sorted(filter(has_image_name, members(archive)))
    ids = np.asarray([f"{place.as_posix()}/{name}" for name in names], dtype=np.str_)
    told = split_in_name(place.parent.as_posix())
    splits = np.full(len(ids), told) if told else None
    return Listing(root, ids, np.full(len(ids), archive.stem), splits)


@contextmanager
def _tables_named(root: Path) -> Iterator[None]:
    """Add to an error the name of a table next to the archives, which may list the images."""
    try:
        yield
    except EvenhandError as error:
        tables = tables_beside(root)
        if not tables:
            raise
        raise EvenhandError(f"{error}; if {tables[0]} lists the images, unpack them and give it") from error


def _placed(root: Path, archives: Sequence[Path], columns: Columns) -> Columns:
    """Return a table whose paths lead into the archives."""
    named = next((name for name in columns.values if name.lower() in PATH_COLUMNS), None)
    if named is None:
        return columns
    places: dict[str, list[str]] = {}
    for archive in archives:
        here = archive.relative_to(root)
        names = list(filter(has_image_name, members(archive)))
        top = posixpath.commonpath([posixpath.dirname(name) for name in names] or [""])
        for name in names:
            place = f"{here.as_posix()}/{name}"
            known = {name, place, f"{here.with_suffix('').as_posix()}/{name}", name.removeprefix(f"{top}/")}
            for known_as in known:
                places.setdefault(known_as, []).append(place)
    paths = [
        _the_one(columns, row, str(name), places)
        for row, name in enumerate(columns.filled(named, argument="paths"))
    ]
    values: dict[str, Strings] = {**columns.values, named: np.asarray(paths, dtype=np.str_)}
    return replace(columns, values=values)


def _the_one(columns: Columns, row: int, name: str, places: dict[str, list[str]]) -> str:
    found = places.get(name.removeprefix("./"), [])
    if len(found) == 1:
        return found[0]
    what = f"in {' and '.join(found[:2])}" if found else "in none of the archives next to it"
    raise EvenhandError(
        f"{columns.path} names {name!r} at row {row + 1}, which is {what}; write the archive's name "
        "before it, as in images.zip/a.jpg"
    )
