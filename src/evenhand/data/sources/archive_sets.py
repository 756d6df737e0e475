"""Several archives in a folder: one for each split or class, or any with a metadata table next to them."""

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
    """List the images of archives. Each id is the archive's path below `root`, then the image's path in it.

    If a metadata table is next to the archives, it names the images in them. Otherwise each archive is listed
    on its own. Its splits are those inside it, or else the split that its name tells, as in `train.zip`. If
    no name tells a split, and the images of each archive are all in one folder, each archive is a class, as
    in ImageNet's `n01440764.tar`.

    Parameters
    ----------
    root : Path
        The folder that holds the archives.
    archives : sequence of Path
        The archives, in order.
    options : Options
        What the user says of the source.
    list_one : callable
        Lists one archive.

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
    """Return the columns of all parts. A column that a part lacks is unknown there, an empty string."""
    unknown = [np.full(len(part.ids), "") for part in parts]
    return {
        name: np.concatenate([own.get(name, empty) for own, empty in zip(columns, unknown, strict=True)])
        for name in dict.fromkeys(name for own in columns for name in own)
    }


def _part(
    root: Path, archive: Path, options: Options, list_one: Callable[[Path, Options], Listing]
) -> Listing:
    """Return the images of one archive, with ids below `root` and the split that the archive's name tells."""
    part = list_one(archive, options)
    place = part.root.relative_to(root).as_posix()
    ids = np.asarray([f"{place}/{name}" for name in part.ids], dtype=np.str_)
    told = split_in_name(archive.relative_to(root).as_posix())
    splits = np.full(len(ids), told) if part.splits is None and told else part.splits
    return replace(part, ids=ids, splits=splits)


def _hold_a_class_each(archives: Sequence[Path]) -> bool:
    """Return whether each archive is one class: its name tells no split, and one folder holds its images."""
    if len({archive.stem for archive in archives}) < 2 or any(split_in_name(file.stem) for file in archives):
        return False
    return all(
        len({posixpath.dirname(name) for name in members(archive) if has_image_name(name)}) == 1
        for archive in archives
    )


def _class_part(root: Path, archive: Path, options: Options) -> Listing:
    """Return the images of an archive that is one class, which is called as the archive."""
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
    """Add to an error that a table next to the archives may list the images."""
    try:
        yield
    except EvenhandError as error:
        tables = tables_beside(root)
        if not tables:
            raise
        raise EvenhandError(f"{error}; if {tables[0]} lists the images, unpack them and give it") from error


def _placed(root: Path, archives: Sequence[Path], columns: Columns) -> Columns:
    """Return a table whose paths lead into the archives.

    A row may name an image by its path in the archive, with or without the folder that holds all images of
    the archive, or with the archive's name in front, with or without its suffix.
    """
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
        _only_place(columns, row, str(name), places)
        for row, name in enumerate(columns.filled(named, argument="paths"))
    ]
    values: dict[str, Strings] = {**columns.values, named: np.asarray(paths, dtype=np.str_)}
    return replace(columns, values=values)


def _only_place(columns: Columns, row: int, name: str, places: dict[str, list[str]]) -> str:
    """Return where the image of a row is; refuse a name that leads to no image or to several."""
    found = places.get(name.removeprefix("./"), [])
    if len(found) == 1:
        return found[0]
    what = f"in {' and '.join(found[:2])}" if found else "in none of the archives next to it"
    raise EvenhandError(
        f"{columns.path} names {name!r} at row {row + 1}, which is {what}; write the archive's name "
        "before it, as in images.zip/a.jpg"
    )
