"""The rows of a table of images: which column holds the paths, and what the other columns mean."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.archives import is_archive, is_inside
from evenhand.data.attributes import divided
from evenhand.data.file_names import has_image_name
from evenhand.data.files import absolute, address, is_remote
from evenhand.data.labels import some
from evenhand.data.sources.levels import CLASS, Folders, Levels, guess
from evenhand.data.sources.listing import Listing, Options, refuse
from evenhand.data.sources.locate import locate, none_there
from evenhand.data.split_names import reads_as_split
from evenhand.data.tables.column_names import ID_COLUMNS, PATH_COLUMNS
from evenhand.data.tables.columns import Columns, rows_of_images
from evenhand.data.tables.read import read_columns

_LOOKED_AT = 1000
"""Number of values by which a column of paths is recognized."""


def list_table(path: Path, options: Options) -> Listing:
    """List the rows of one table. Paths are relative to `options.root`, by default the table's folder.

    Folders of the paths that `options.layout` names are attributes, like columns.

    Raises
    ------
    EvenhandError
        If the table cannot be read or lacks a column, if none of its images exists, or if `options.layout`
        names a column or more folders than the paths have.
    """
    levels = None if options.layout is None else Levels.of_table(options.layout)
    columns = rows_of_images(read_columns(path))
    top = absolute(options.root or columns.path.parent)
    if levels is None:
        listing = in_place(rows_of(columns, options, top=top), path)
    else:
        listing = in_place(rows_of(columns, _of_columns(options, levels, columns), top=top), path)
        listing = _with_folders(listing, levels, options)
    return _grouped(listing, options)


def _of_columns(options: Options, levels: Levels, columns: Columns) -> Options:
    """Return the options without what folders of the paths tell, so that it is not looked for in columns."""
    taken = [name for name in levels.attributes if name in columns.values]
    if taken:
        raise EvenhandError(
            f"layout: {taken[0]!r} is a column of {columns.path}; choose another word for the folder"
        )
    own = levels.attributes
    return replace(
        options,
        attributes=options.attributes and [name for name in options.attributes if name not in own],
        split_by=None if options.split_by in own else options.split_by,
    )


def _with_folders(listing: Listing, levels: Levels, options: Options) -> Listing:
    """Return a listing with the folders that the levels name as attributes or units."""
    places = folders_of(listing.ids)
    if not any(map(levels.holds, places)):
        raise EvenhandError(
            f"layout: no path, such as {str(listing.ids[0])!r}, has {len(levels.roles)} levels of folders, "
            f"as {levels} says; write a word for each level below `root`"
        )
    told = {name: _array([levels.of(name, place) for place in places]) for name in levels.attributes}
    known, named = listing.attributes | told, options.attributes or ()
    attributes = {name: known[name] for name in known if name != options.split_by or name in named}
    return replace(listing, attributes=attributes, units=told.get(options.split_by or "", listing.units))


def list_rows(columns: Columns, options: Options) -> Listing:
    """List the rows of images in containers, with ids relative to the folder of `columns.path`.

    Raises
    ------
    EvenhandError
        If a column is missing, or an option is given that does not apply to containers.
    """
    for argument, value in (
        ("path_column", options.path),
        ("root", options.root),
        ("layout", options.layout),
    ):
        if value is not None:
            refuse(argument, str(value), "the images are in containers")
    listing = rows_of(columns, options, top=columns.path.parent)
    return _grouped(listing, options)


def in_place(listing: Listing, source: Path) -> Listing:
    """Return a listing whose ids are the paths at which the images were found on this disk.

    Raises
    ------
    EvenhandError
        If none of the images exists.
    """
    names = [str(name) for name in listing.ids]
    found = locate(listing.root, names)
    if found.missing == len(names):
        raise none_there(listing.root, names, source)
    return replace(listing, ids=_array(found.names), notes=(*listing.notes, *found.notes))


def rows_of(
    columns: Columns, options: Options, *, top: Path, folder: str = "", from_folders: bool = False
) -> Listing:
    """List the rows of a table with the paths that it writes.

    Parameters
    ----------
    columns : Columns
        The table.
    options : Options
        Which columns are read.
    top : Path
        The folder that ids are relative to.
    folder : str, default=""
        The folder below `top` that the paths in the table are relative to.
    from_folders : bool, default=False
        Whether class folders are the labels if the table has no column of labels.

    Raises
    ------
    EvenhandError
        If a column is missing or has a gap, or a table in an archive names a file outside the archive.
    """
    options = replace(options, label=columns.called(options.label), split=columns.called(options.split))
    path_column, notes = _path_column(columns, options, top / folder)
    names = columns.filled(path_column, argument="paths")
    ids = _array([_relative(top, folder, name) for name in names])
    outside = next((name for name in ids if _stands_alone(name) or not is_inside(name)), None)
    if outside is not None and is_archive(top):
        raise EvenhandError(
            f"{columns.path} names a file outside its archive: {str(outside)!r}; name files that are in it"
        )
    notes = (*columns.notes, *notes)
    if not options.labeled:
        return Listing(top, ids, _array([""] * len(ids)), None, notes=notes)
    splits = columns.values.get(options.split)
    if splits is None and options.split != "split":
        columns.get(options.split, argument="split_column")
    units = columns.get(options.split_by, argument="split_by") if options.split_by else None
    attributes = _attributes(columns, options, path_column)
    labels = _labels(columns, ids, options, folders=from_folders)
    return Listing(top, ids, labels, splits, attributes, notes, units)


def _path_column(columns: Columns, options: Options, top: Path) -> tuple[str, tuple[str, ...]]:
    """Return the column of paths, and a note on it if it was recognized by its values."""
    if options.path is not None:
        columns.get(options.path, argument="path_column")
        return options.path, ()
    lower = {name.lower(): name for name in columns.values}
    known = [lower[name] for name in PATH_COLUMNS if name in lower]
    if known:
        return known[0], ()
    told = [name for name, values in columns.values.items() if _names_images(values)]
    told = told or [lower[name] for name in ID_COLUMNS if name in lower and _leads(columns, lower[name], top)]
    if len(told) == 1:
        return told[0], (f"column {told[0]!r} of {columns.path} is read as the paths of the images",)
    if columns.embedded:
        raise EvenhandError(
            f"{columns.path} holds bytes in the columns {', '.join(columns.embedded)}, of which none is "
            "called image; rename the one with the images"
        )
    left_out = [name for name in (*columns.nested, *columns.too_long) if name.lower() in PATH_COLUMNS]
    if left_out and not told:
        columns.get(left_out[0], argument="paths")
    if not told and _row_in_header(columns, top):
        raise EvenhandError(
            f"{columns.path} has no header: its first line names an image; write a line such as "
            "file_name,label above it, with the delimiter of the others"
        )
    found = f"several columns of image paths, {some(told)}" if told else "no column of image paths"
    raise EvenhandError(
        f"{columns.path} has {found}; its columns are {some((*columns.values, *columns.nested))}; "
        "name the one with the paths as `path_column`, or call it file_name"
    )


def _names_images(values: Strings) -> bool:
    """Return whether at least nine of ten values of a column have the extension of an image."""
    looked = [str(value) for value in values[:_LOOKED_AT] if value != ""]
    return 10 * sum(map(has_image_name, looked)) >= 9 * max(1, len(looked))


def _leads(columns: Columns, name: str, top: Path) -> bool:
    """Return whether the first value of a column leads to an image."""
    first = str(columns.values[name][0])
    return bool(first) and not is_archive(top) and not is_remote(top) and not locate(top, [first]).missing


def _row_in_header(columns: Columns, top: Path) -> bool:
    """Return whether the header names an image, because the table has no header but only rows."""
    here = not is_archive(top) and not is_remote(top)
    return here and any(name and not locate(top, [name]).missing for name in list(columns.values)[:3])


def _relative(top: Path, folder: str, name: str) -> str:
    """Return a path in a table relative to `top`, or as it is written if it leads elsewhere."""
    if _stands_alone(name):
        clean = address(Path(posixpath.normpath(name)))
        prefix = address(Path(posixpath.normpath(absolute(top).as_posix()))).rstrip("/") + "/"
        return clean.removeprefix(prefix)
    if re.match(r"[a-z]+://", name):  # an error about an address that is not read shows it as it is
        return name
    return posixpath.normpath(posixpath.join(folder, name))


def _stands_alone(name: str) -> bool:
    """Return whether a name is an absolute path or an address."""
    return posixpath.isabs(name) or is_remote(Path(name))


def _labels(columns: Columns, ids: Strings, options: Options, *, folders: bool) -> Strings:
    """Return the column of labels, or the class folders if `folders` is set and there is no such column."""
    if folders and options.label == "label" and options.label not in columns.values:
        places = folders_of(ids)
        levels = guess(places)
        labels = _array([levels.of(CLASS, place) for place in places])
        if (labels != "").all() or not options.complete:
            return labels
    read = columns.filled if options.complete else columns.get
    return read(options.label, argument="label_column")


def folders_of(ids: Strings) -> list[Folders]:
    """Return the folders of each relative path; an empty tuple for an absolute path or an address."""
    return [() if _stands_alone(name) else PurePosixPath(name).parts[:-1] for name in map(str, ids)]


def _attributes(columns: Columns, options: Options, path_column: str) -> dict[str, Strings]:
    """Return the columns that the user named to make groups, then all others that have no other meaning."""
    named = {name: columns.get(name, argument="attribute_columns") for name in options.attributes or ()}
    taken = {path_column, options.label, options.split, options.split_by, "id", "", "Unnamed: 0"}
    return named | {name: values for name, values in columns.values.items() if name not in taken}


def _grouped(listing: Listing, options: Options) -> Listing:
    """Return a listing whose attributes make groups, with its other columns apart."""
    groups, others, notes = divided(listing.attributes, listing.labels, options.attributes)
    if listing.splits is None:
        notes += [
            f"column {name!r} looks like a split, but splits are read only from {options.split!r}, which "
            "does not exist; name it as `split_column` if it is one"
            for name, values in groups.items()
            if reads_as_split(name, values)
        ]
    return replace(listing, attributes=groups, others=others, notes=(*listing.notes, *notes))


def _array(values: Sequence[str]) -> Strings:
    return np.asarray(values, dtype=np.str_)
