"""The kinds of sources. Each is a class whose objects list their images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from evenhand._counts import number_of
from evenhand.data.archives import is_archive, links_in
from evenhand.data.files import is_remote, says_what_cannot_be_listed
from evenhand.data.labels import some
from evenhand.data.sources.archive_sets import list_archives
from evenhand.data.sources.find_images import find_images
from evenhand.data.sources.image_folder import (
    list_image_folder,
    list_split_tables,
    metadata_files,
    split_tables,
)
from evenhand.data.sources.img2dataset import download_tables, list_downloads
from evenhand.data.sources.listing import Listing, Options
from evenhand.data.sources.picture_tables import list_picture_tables
from evenhand.data.sources.shards import list_shards
from evenhand.data.sources.table_rows import list_table
from evenhand.data.sources.top_folder import top_folder
from evenhand.data.sources.tree import list_tree
from evenhand.data.split_names import SPLIT_NAMES


@dataclass(frozen=True)
class Source(ABC):
    """Where images come from.

    Attributes
    ----------
    path : Path
        The file or folder that the user gave. For several files, the folder that ids are relative to.
    """

    path: Path

    @property
    def grows(self) -> bool:
        """Whether the list of images may be too long for memory, as that of a folder on this machine."""
        return False

    def listing(self, options: Options) -> Listing:
        """List the images.

        Raises
        ------
        EvenhandError
            If the source cannot be read, holds no image, lacks a label or a column that the user named, or
            an option does not apply to it.
        """
        with says_what_cannot_be_listed(self.path):
            return self._listing(options)

    @abstractmethod
    def _listing(self, options: Options) -> Listing: ...


class Folder(Source):
    """A folder of image files: a tree of class folders, or a folder with tables of its images."""

    @property
    def grows(self) -> bool:
        """Whether the folder is on this machine."""
        return not is_remote(self.path)

    def _listing(self, options: Options) -> Listing:
        return _of_folder(self.path, options)


class Archive(Source):
    """An archive or a folder inside an archive, read like a folder."""

    def _listing(self, options: Options) -> Listing:
        place = top_folder(self.path, but=SPLIT_NAMES) if options.labeled else self.path
        found = _of_folder(place, options)
        return replace(found, notes=(*_of_links(self.path), *found.notes))


class Table(Source):
    """A table with a column of image paths, or a folder with the parts of such a table."""

    def _listing(self, options: Options) -> Listing:
        return list_table(self.path, options)


class OneImage(Source):
    """A file that is neither archive nor table: one image to predict, or an error if labels are needed."""

    def _listing(self, options: Options) -> Listing:
        if options.labeled:
            return list_table(self.path, options)
        return _unlabeled(self.path.parent, [self.path.name])


@dataclass(frozen=True)
class Containers(Source):
    """Files that each hold many images.

    Attributes
    ----------
    files : sequence of Path
        The files in order.
    alone : bool, default=False
        Whether the user gave a single file. Its name then tells no split.
    notes : tuple of str, default=()
        Which other files were skipped.
    """

    files: Sequence[Path]
    alone: bool = False
    notes: tuple[str, ...] = ()

    what: ClassVar[str]

    def _listing(self, options: Options) -> Listing:
        found = self._rows(options)
        links = [note for file in self.files if is_archive(file) for note in _of_links(file)]
        return replace(found, notes=(*self.notes, *links, *found.notes))

    @abstractmethod
    def _rows(self, options: Options) -> Listing: ...


class Shards(Containers):
    """Tar files in the WebDataset format."""

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


def _of_links(archive: Path) -> tuple[str, ...]:
    """Return a note on the links in an archive, which are skipped; empty if it has none."""
    left = links_in(archive)
    if not left:
        return ()
    count = number_of(len(left), "link is", "links are")
    return (f"{count} skipped in {archive.name}: {some(left, most=3)}; pack only plain files",)


def _of_folder(root: Path, options: Options) -> Listing:
    """List the image files of a folder by the tables in it, or else by its class folders."""
    if not options.labeled:
        return _unlabeled(root, find_images(root))
    tables = metadata_files(root)
    if tables:
        return list_image_folder(root, tables, options)
    downloads = download_tables(root)
    if downloads:
        return list_downloads(root, downloads, options)
    tables = split_tables(root)
    return list_split_tables(root, tables, options) if tables else list_tree(root, options)


def _unlabeled(root: Path, names: Sequence[str]) -> Listing:
    return Listing(root, np.asarray(names, dtype=np.str_), np.full(len(names), ""), None)
