"""Folders of image files that img2dataset downloaded: `00000/000000001.jpg` next to `00000.parquet`."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evenhand.data.archives import is_archive
from evenhand.data.file_names import is_litter
from evenhand.data.files import is_remote
from evenhand.data.sources.find_images import find_images
from evenhand.data.sources.listing import Listing, Options
from evenhand.data.sources.table_rows import list_rows
from evenhand.data.tables.columns import Columns
from evenhand.data.tables.read import read_columns


def download_tables(root: Path) -> list[Path]:
    """Return the tables of img2dataset, one with the name of each subfolder; none in any other folder."""
    if is_archive(root) or is_remote(root):
        return []
    with os.scandir(root) as entries:
        folders = sorted(entry.name for entry in entries if entry.is_dir() and not is_litter(entry.name))
    tables = [root / f"{name}.parquet" for name in folders if name.isdecimal()]
    return tables if len(tables) == len(folders) and all(table.is_file() for table in tables) else []


def list_downloads(root: Path, tables: Sequence[Path], options: Options) -> Listing:
    """List the images that were downloaded. The column `key` of a table names the image of each row.

    Rows whose image could not be downloaded are left out. The other columns are labels and attributes.

    Raises
    ------
    EvenhandError
        If a table cannot be read or has no column `key`, or a label or a column that the user named is
        missing.
    """
    images = {posixpath.splitext(name)[0]: name for name in find_images(root)}
    values: dict[str, list[str]] = {}
    for table in tables:
        columns = read_columns(table)
        keys = columns.filled("key", argument="paths")
        places = [images.get(f"{table.stem}/{key}", "") for key in keys]
        there = [row for row, place in enumerate(places) if place]  # the others could not be downloaded
        values.setdefault("file_name", []).extend(places[row] for row in there)
        for name, of in columns.values.items():
            values.setdefault(name, []).extend(of[there].tolist())
    arrays = {name: np.asarray(of, dtype=np.str_) for name, of in values.items() if name != "key"}
    return list_rows(Columns(root / "the tables of img2dataset", arrays), options)
