"""What a folder or a table lists, before labels become codes and splits are made."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.archives import is_archive, is_inside, members
from evenhand.data.files import absolute, address, is_file, is_remote, names_in
from evenhand.data.folders import class_of, find_images, split_of
from evenhand.data.labels import some
from evenhand.data.splits import SPLIT_NAMES
from evenhand.data.tables_in import Columns, read_columns

PATH_COLUMNS = (
    *("file_name", "filename", "file_path", "filepath", "path", "image_path", "img_path", "image", "img"),
    *("image_name", "img_name", "image_file", "img_filename", "image_filename", "file"),
)
METADATA = ("metadata.csv", "metadata.parquet", "metadata.jsonl")
MOST_VALUES = 50
"""A column with more distinct values is no attribute unless the user names it."""


@dataclass(frozen=True)
class Options:
    """The columns to read; `attributes` None stands for every column that may be one.

    With `complete` a row without a label is an error.
    """

    label: str = "label"
    attributes: Sequence[str] | None = None
    split: str = "split"
    labelled: bool = True
    complete: bool = True


@dataclass(frozen=True)
class Listing:
    """Rows as strings: `labels` and `splits` hold "" where nothing is known, `splits` is None without any."""

    root: Path
    ids: Strings
    labels: Strings
    splits: Strings | None
    attributes: dict[str, Strings] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> Strings:
        """Absolute paths."""
        return np.asarray([place_of(self.root, str(name)) for name in self.ids], dtype=np.str_)


def place_of(root: Path, name: str) -> str:
    """Return where a row's picture is: below the root, unless its name is absolute or an address."""
    own = Path(name)
    return address(own if is_remote(own) else Path(os.path.normpath(root / own)))


@contextmanager
def says_what_cannot_be_listed(source: Path) -> Iterator[None]:
    """Turn the system's refusal to list into a sentence.

    Raises
    ------
    EvenhandError
        In the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        place = error.filename or source
        raise EvenhandError(
            f"cannot list {place}: {error.strerror or error}; check the permissions"
        ) from error


def list_images(root: Path) -> Listing:
    """List every picture of a folder or an archive, however nested, or one picture file, without labels."""
    if is_file(root) and not is_archive(root):
        root, names = root.parent, [root.name]
    else:
        names = find_images(root)
    return Listing(root, _array(names), _array([""] * len(names)), None)


def list_tree(root: Path, options: Options) -> Listing:
    """List a tree of class folders, with or without split folders above them."""
    if options.attributes:
        raise EvenhandError(
            f"attribute_columns: {options.attributes[0]!r} cannot be read, {root} has no metadata table; "
            "add metadata.csv with a file_name column, or leave attribute_columns out"
        )
    found = find_images(root)
    splits = split_of(found)
    classes = [class_of(name, in_split=splits is not None) for name in found]
    inside = np.flatnonzero(_array(classes) != "")
    if not len(inside):
        raise EvenhandError(
            f"{root} has neither class folders nor a metadata table; put each class's images into a folder "
            f"of its own, or add metadata.csv with the columns file_name and {options.label}"
        )
    notes = []
    if len(inside) < len(found):
        example = next(name for name, label in zip(found, classes, strict=True) if not label)
        notes.append(
            f"{len(found) - len(inside)} images lie outside the class folders and are left out, "
            f"for example {example}"
        )
    return Listing(
        root,
        _array(found)[inside],
        _array(classes)[inside],
        None if splits is None else _array(splits)[inside],
        notes=tuple(notes),
    )


def metadata_files(root: Path) -> dict[str, Path]:
    """Return the ImageFolder metadata tables of a folder by where they lie: "" or a split folder's name."""
    inside = members(root) if is_archive(root) else None
    if inside is not None:
        tops = {name.split("/")[0] for name in inside}
    elif is_remote(root):
        tops = set(names_in(root, nested=False))
    else:
        tops = {entry.name for entry in root.iterdir()}
    present = set(inside or ())
    found = {}
    for folder in ["", *(top for top in sorted(tops) if top.lower() in SPLIT_NAMES)]:
        tables = [
            root / folder / name
            for name in METADATA
            if posixpath.join(folder, name) in present or is_file(root / folder / name)
        ]
        if len(tables) > 1:
            raise EvenhandError(
                f"{root / folder} has several metadata tables, "
                f"{' and '.join(table.name for table in tables)}; keep one"
            )
        if tables:
            found[folder] = tables[0]
    return found


def list_image_folder(root: Path, tables: dict[str, Path], options: Options) -> Listing:
    """List what ImageFolder metadata tables name; labels are a column, or the class folders."""
    parts = [_rows(read_columns(table), folder, options, folders=True) for folder, table in tables.items()]
    ids = np.concatenate([part.ids for part in parts])
    splits = _folder_splits(ids)
    if all(part.splits is not None for part in parts):
        splits = np.concatenate([part.splits for part in parts if part.splits is not None])
    names = dict.fromkeys(name for part in parts for name in part.attributes)
    missing = [_array([""] * len(part.ids)) for part in parts]
    attributes = {
        name: np.concatenate([p.attributes.get(name, none) for p, none in zip(parts, missing, strict=True)])
        for name in names
    }
    labels = np.concatenate([part.labels for part in parts])
    # Judged over all splits at once: a column may be constant within one.
    return Listing(root, ids, labels, splits, _grouping(attributes, options), _unlisted(root, ids))


def list_table(path: Path, options: Options) -> Listing:
    """List the rows of one table; paths are relative to its folder."""
    return list_rows(read_columns(path), options)


def list_rows(columns: Columns, options: Options) -> Listing:
    """List the rows of columns; paths are relative to the folder that the columns come from."""
    listing = _rows(columns, "", options, folders=False)
    return replace(listing, attributes=_grouping(listing.attributes, options))


def _rows(columns: Columns, folder: str, options: Options, *, folders: bool) -> Listing:
    path_column = _path_column(columns)
    names = columns.filled(path_column, argument="paths")
    root = columns.path.parent
    ids = _array([_relative(root, folder, name) for name in names])
    top = root.parent if folder else root
    outside = next((name for name in ids if _stands_alone(name) or not is_inside(name)), None)
    if outside is not None and is_archive(top):
        raise EvenhandError(
            f"{columns.path} names a file outside its archive: {str(outside)!r}; name files that are in it"
        )
    splits = columns.values.get(options.split)
    if splits is None and options.split != "split" and options.labelled:
        columns.get(options.split, argument="split_column")
    attributes = _attributes(columns, options, path_column) if options.labelled else {}
    labels = _labels(columns, ids, options, folders=folders) if options.labelled else _array([""] * len(ids))
    return Listing(root, ids, labels, splits, attributes)


def _path_column(columns: Columns) -> str:
    lower = {name.lower(): name for name in columns.values}
    for name in PATH_COLUMNS:
        if name in lower:
            return lower[name]
    if columns.embedded:
        raise EvenhandError(
            f"{columns.path} holds bytes in the columns {', '.join(columns.embedded)}, of which none is "
            "called image; rename the one with the images"
        )
    raise EvenhandError(
        f"{columns.path} has no column of image paths; its columns are {some(columns.values)}; "
        "call the one with the paths file_name"
    )


def _relative(root: Path, folder: str, name: str) -> str:
    """Return `name` relative to the root above `folder`, or as it is if it lies elsewhere."""
    if _stands_alone(name):
        top = root.parent if folder else root
        clean = address(Path(posixpath.normpath(name)))
        prefix = address(Path(posixpath.normpath(absolute(top).as_posix()))).rstrip("/") + "/"
        return clean.removeprefix(prefix)
    return posixpath.normpath(posixpath.join(folder, name))


def _stands_alone(name: str) -> bool:
    return posixpath.isabs(name) or is_remote(Path(name))


def _labels(columns: Columns, ids: Strings, options: Options, *, folders: bool) -> Strings:
    if folders and options.label == "label" and options.label not in columns.values:
        in_split = _folder_splits(ids) is not None
        labels = _array([class_of(name, in_split=in_split) for name in ids])
        if (labels != "").all() or not options.complete:
            return labels
    read = columns.filled if options.complete else columns.get
    return read(options.label, argument="label_column")


def _folder_splits(ids: Strings) -> Strings | None:
    splits = split_of([str(name) for name in ids if not _stands_alone(name)])
    return None if splits is None or "" in splits or len(splits) != len(ids) else _array(splits)


def _attributes(columns: Columns, options: Options, path_column: str) -> dict[str, Strings]:
    if options.attributes is not None:
        return {name: columns.get(name, argument="attribute_columns") for name in options.attributes}
    taken = {path_column, options.label, options.split, "id", "", "Unnamed: 0"}
    return {name: values for name, values in columns.values.items() if name not in taken}


def _grouping(attributes: dict[str, Strings], options: Options) -> dict[str, Strings]:
    """Keep the columns the user named, or those that can make groups."""
    if options.attributes is not None:
        return attributes
    return {name: values for name, values in attributes.items() if _may_group(values)}


def _may_group(values: Strings) -> bool:
    distinct = np.unique(values[values != ""])
    if not 2 <= len(distinct) <= min(MOST_VALUES, len(values) - 1):
        return False
    try:
        numbers = distinct.astype(np.float64)
    except ValueError:
        return True  # words
    return bool((numbers == np.floor(numbers)).all())


def _unlisted(root: Path, ids: Strings) -> tuple[str, ...]:
    extra = sorted(set(find_images(root)) - {str(name) for name in ids})
    if not extra:
        return ()
    return (f"{len(extra)} images are in no metadata table and are left out, for example {extra[0]}",)


def _array(values: Sequence[str]) -> Strings:
    return np.asarray(values, dtype=np.str_)
