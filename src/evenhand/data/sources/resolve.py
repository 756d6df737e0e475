"""What kind of source a path is, resolved once, into an object that lists its images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from evenhand._typing import PathLike
from evenhand.data.archives import is_archive
from evenhand.data.file_names import ARCHIVES, NAMED_TABLES, TABLES, table_suffix
from evenhand.data.files import (
    absolute,
    check_utf8,
    is_dir,
    is_file,
    is_remote,
    says_what_cannot_be_listed,
)
from evenhand.data.labels import some
from evenhand.data.sources.archive_sets import list_archives
from evenhand.data.sources.contents import Contents, contents
from evenhand.data.sources.find_images import find_images, not_there
from evenhand.data.sources.hub import hub_tables, is_hub
from evenhand.data.sources.image_folder import (
    list_image_folder,
    list_split_tables,
    metadata_files,
    split_tables,
)
from evenhand.data.sources.listing import Listing, Options
from evenhand.data.sources.patterns import matching
from evenhand.data.sources.picture_tables import check_one_set, holds_pictures, list_picture_tables
from evenhand.data.sources.shards import is_shard, list_shards
from evenhand.data.sources.table_rows import list_table
from evenhand.data.sources.top_folder import top_folder
from evenhand.data.sources.tree import list_tree
from evenhand.data.split_names import SPLIT_NAMES
from evenhand.data.tables.parts import is_part


@dataclass(frozen=True)
class Source(ABC):
    """Where images come from.

    Attributes
    ----------
    path : Path
        The file or folder that was given; for several files the folder that ids are relative to.
    """

    path: Path

    @property
    def grows(self) -> bool:
        """Whether the list may be too long for memory: of image files of this machine, one by one."""
        return False

    def listing(self, options: Options) -> Listing:
        """List the images.

        Raises
        ------
        EvenhandError
            If the source cannot be read, holds no image, lacks a label or a named column, or has no use for
            an option.
        """
        with says_what_cannot_be_listed(self.path):
            return self._listing(options)

    @abstractmethod
    def _listing(self, options: Options) -> Listing: ...


class Folder(Source):
    """A folder of image files: a tree, or one with tables of its images."""

    @property
    def grows(self) -> bool:
        """Whether the folder is of this machine."""
        return not is_remote(self.path)

    def _listing(self, options: Options) -> Listing:
        return _of_folder(self.path, options)


class Archive(Source):
    """An archive, or a folder in one, read as a folder."""

    def _listing(self, options: Options) -> Listing:
        place = top_folder(self.path, but=SPLIT_NAMES) if options.labeled else self.path
        return _of_folder(place, options)


class Table(Source):
    """A table with a column of paths, or a folder of its parts."""

    def _listing(self, options: Options) -> Listing:
        return list_table(self.path, options)


class OneImage(Source):
    """A file that is neither archive nor table: an image to predict, or an error."""

    def _listing(self, options: Options) -> Listing:
        if options.labeled:
            return list_table(self.path, options)
        return _unlabeled(self.path.parent, [self.path.name])


@dataclass(frozen=True)
class Containers(Source):
    """Files that hold images.

    Attributes
    ----------
    files : sequence of Path
        In order.
    alone : bool
        Whether one file was given, whose name tells no split.
    notes : tuple of str
        What was passed over.
    """

    files: Sequence[Path]
    alone: bool = False
    notes: tuple[str, ...] = ()

    what: ClassVar[str]

    def _listing(self, options: Options) -> Listing:
        found = self._rows(options)
        return replace(found, notes=(*self.notes, *found.notes))

    @abstractmethod
    def _rows(self, options: Options) -> Listing: ...


class Shards(Containers):
    """WebDataset's tars."""

    what = "WebDataset shards"

    def _rows(self, options: Options) -> Listing:
        return list_shards(self.path, self.files, options, alone=self.alone)


class ImageTables(Containers):
    """Parquet or Arrow files with a column of image bytes."""

    what = "tables with images"

    def _rows(self, options: Options) -> Listing:
        return list_picture_tables(self.path, self.files, options, alone=self.alone)


class Archives(Containers):
    """Several archives of image files."""

    what = "archives"

    def _rows(self, options: Options) -> Listing:
        return list_archives(self.path, self.files, options, lambda file, asked: Archive(file).listing(asked))


def resolve(source: PathLike) -> Source:
    """Return the source that a path is.

    A path is a file, a folder, an address, a data set of the Hub, or a pattern such as
    `train-{000..012}.tar`. A folder is one of containers where these are its only data; text, JSON, markers
    and a few images beside them are passed over.

    Raises
    ------
    EvenhandError
        If a pattern names a file that is missing, a folder holds several data sets or cannot be listed, or
        the path is not UTF-8.
    """
    path = absolute(Path(source))
    check_utf8(str(path), what="path")
    if is_hub(path):
        tables = hub_tables(path)
        if tables is not None:
            check_one_set(tables.root, tables.files)
            return ImageTables(tables.root, tables.files, alone=tables.one_split, notes=tables.notes)
    with says_what_cannot_be_listed(path):
        if is_dir(path):
            return _folder(path, contents(path))
        several = matching(path)
        files = several or [path]
        root = _common_folder(files)
        if all(file.suffix.lower() == ".tar" for file in files) and any(map(is_shard, files)):
            return Shards(root, files, alone=not several)
        if all(map(holds_pictures, files)):
            return ImageTables(root, files, alone=not several)
        if several:
            return Archives(root, files)
        if is_archive(path):
            return Archive(path)
        if is_file(path):
            return Table(path) if table_suffix(path.name) in (*TABLES, *NAMED_TABLES) else OneImage(path)
    raise not_there(path)


def _folder(folder: Path, found: Contents | None) -> Source:
    if found is None:
        return Folder(folder)
    containers = [folder / name for name in found.containers]
    archives = [file for file in containers if file.suffix.lower() in ARCHIVES]
    tars = [file for file in archives if file.suffix.lower() == ".tar"]
    if any(map(is_shard, tars)):
        return Shards(folder, tars, notes=_aside(Shards, folder, tars, found))
    tables = [file for file in containers if holds_pictures(file)]
    if tables:
        check_one_set(folder, tables)
        return ImageTables(folder, tables, notes=_aside(ImageTables, folder, tables, found))
    if archives and not found.images:
        return Archives(folder, archives, notes=_aside(Archives, folder, archives, found))
    return Table(folder) if _are_parts(folder, found) else Folder(folder)


def _are_parts(folder: Path, found: Contents) -> bool:
    """Return whether a folder is a table in parts, as Spark writes it."""
    names = [name for name in (*found.containers, *found.others) if not Path(name).name.startswith("_")]
    done = "_SUCCESS" in found.others
    return (
        bool(names)
        and not (found.images or is_remote(folder))
        and all(is_part(name, done=done) for name in names)
    )


def _aside(kind: type[Containers], folder: Path, files: Sequence[Path], found: Contents) -> tuple[str, ...]:
    read = {file.relative_to(folder).as_posix() for file in files}
    left = [*found.images, *(name for name in found.containers if name not in read), *found.others]
    if not left:
        return ()
    return (
        f"the images are those of {len(read)} {kind.what}, as {files[0].name}; "
        f"passed over: {some(left, most=3)}",
    )


def _common_folder(files: Sequence[Path]) -> Path:
    shared = [parts[0] for parts in zip(*(file.parent.parts for file in files)) if len(set(parts)) == 1]  # noqa: B905
    return Path(*shared)


def _of_folder(root: Path, options: Options) -> Listing:
    if not options.labeled:
        return _unlabeled(root, find_images(root))
    tables = metadata_files(root)
    if tables:
        return list_image_folder(root, tables, options)
    tables = split_tables(root)
    return list_split_tables(root, tables, options) if tables else list_tree(root, options)


def _unlabeled(root: Path, names: Sequence[str]) -> Listing:
    return Listing(root, np.asarray(names, dtype=np.str_), np.full(len(names), ""), None)
