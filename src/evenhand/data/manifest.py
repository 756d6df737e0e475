"""The list of images to work on, with labels, splits and attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Ints, PathLike, Strings
from evenhand.data.archives import is_archive, top_folder
from evenhand.data.files import absolute, is_dir, is_file
from evenhand.data.labels import check_trained, class_codes, renamed, some, untested
from evenhand.data.leakage import leakage
from evenhand.data.listing import (
    Listing,
    Options,
    list_image_folder,
    list_images,
    list_table,
    list_tree,
    metadata_files,
    says_what_cannot_be_listed,
)
from evenhand.data.parquet_images import list_picture_tables, picture_tables
from evenhand.data.splits import SPLIT_NAMES, given_or_drawn
from evenhand.data.tables_in import SUFFIXES
from evenhand.data.webdataset import list_shards, webdataset_shards


@dataclass(frozen=True)
class Manifest:
    """N images, row by row.

    Attributes
    ----------
    ids : str [N]
        Unique: the path relative to `root`, with forward slashes.
    paths : str [N]
        Absolute. The files may be missing or broken: extraction lists those with the reason.
    y : int64 [N]
        Codes into `classes`; -1 without labels.
    split : str [N]
        `train`, `validation` or `test`.
    attributes : dict of str to str [N]
        The empty string means unknown.
    classes : tuple of str
        In sorted order of the labels as given; whole numbers by value.
    root : str
        The folder, or the table's folder.
    notes : tuple of str
        What the user should know, one sentence each.
    """

    ids: Strings
    paths: Strings
    y: Ints
    split: Strings
    attributes: dict[str, Strings]
    classes: tuple[str, ...]
    root: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @staticmethod
    def read(
        source: PathLike,
        *,
        label_column: str = "label",
        attribute_columns: Sequence[str] | None = None,
        split_column: str = "split",
        class_names: Mapping[str, str] | None = None,
        seed: int = 0,
        labelled: bool = True,
    ) -> Manifest:
        """Read a tree of class folders, an ImageFolder with metadata, or a table.

        Parameters
        ----------
        source : str or Path
            A folder of class folders, with or without split folders above them; a folder with
            `metadata.csv`, `.parquet` or `.jsonl` at its root or in its split folders; or a table
            (`.csv`, `.tsv`, `.parquet`, `.jsonl`) with a column of paths relative to it. A `.zip` or `.tar`
            with such a folder inside, WebDataset's tars, and Parquet files that hold the pictures as bytes,
            one or a folder of them, are read in place. It may be an address, `s3://` or `gs://`.
        label_column, split_column : str
            Columns of the table.
        attribute_columns : sequence of str, optional
            By default every other column of words, whole numbers or booleans with 2 to 50 distinct values.
        class_names : mapping of str to str, optional
            New names for labels; the others keep theirs.
        seed : int
            Of the split that is made where none is given.
        labelled : bool
            False reads any folder of pictures, a table, or one picture for prediction: every row is `test`.

        Raises
        ------
        EvenhandError
            If the source cannot be read, a named column is missing, a label is, an id comes twice, a split
            is unknown, there is one class, one image per class, or a class without training rows.
        """
        source = Path(source)
        options = Options(label_column, attribute_columns, split_column, labelled)
        listing = list_source(source, options)
        _check_unique(listing)
        if not labelled:
            return _unlabelled(listing)
        names, y = class_codes(listing.labels)
        classes = renamed(names, class_names or {})
        split, split_notes = given_or_drawn(listing.splits, y, seed=seed, column=split_column)
        check_trained(classes, y, split)
        leak = leakage(listing.paths, listing.ids, split)
        notes = [
            *listing.notes,
            *split_notes,
            *untested(classes, y, split),
            *_bare_numbers(classes),
            *([leak] if leak else []),
        ]
        return Manifest(
            listing.ids,
            listing.paths,
            y,
            split,
            listing.attributes,
            classes,
            str(listing.root),
            tuple(notes),
        )


def list_source(source: Path, options: Options) -> Listing:
    """Return what a source of any kind lists, labels and splits as they are written there."""
    source = absolute(source)
    with says_what_cannot_be_listed(source):
        shards = webdataset_shards(source)
        if shards:
            return list_shards(source, shards, options)
        tables_with_pictures = picture_tables(source)
        if tables_with_pictures:
            return list_picture_tables(source, tables_with_pictures, options)
        archive = is_archive(source)
        if archive and options.labelled:
            source = top_folder(source, but=SPLIT_NAMES)
        if is_file(source) and not archive:
            is_table = options.labelled or source.suffix.lower() in SUFFIXES
            return list_table(source, options) if is_table else list_images(source)
        if not (archive or is_dir(source)) or not options.labelled:
            return list_images(source)
        tables = metadata_files(source)
        return list_image_folder(source, tables, options) if tables else list_tree(source, options)


def _check_unique(listing: Listing) -> None:
    ids, counts = np.unique(listing.ids, return_counts=True)
    twice = np.flatnonzero(counts > 1)
    if len(twice):
        raise EvenhandError(
            f"image paths must be unique, but {str(ids[twice[0]])!r} comes {counts[twice[0]]} times "
            f"({len(twice)} such paths in all); keep one row for each"
        )


def _unlabelled(listing: Listing) -> Manifest:
    n = len(listing.ids)
    y = np.full(n, -1, dtype=np.int64)
    split = np.full(n, "test")
    return Manifest(listing.ids, listing.paths, y, split, {}, (), str(listing.root), listing.notes)


def _bare_numbers(classes: Sequence[str]) -> list[str]:
    bare = [name for name in classes if re.fullmatch(r"[+-]?\d+([.,]\d+)?|true|false", name.lower())]
    if not bare:
        return []
    return [
        f"labels that are bare numbers or truth values make useless prompts: {some(bare)}; "
        "name the classes with --class-names"
    ]
