"""What kind of source a path is: resolved once, into an object that lists its images."""

from __future__ import annotations

from pathlib import Path

from evenhand._typing import PathLike
from evenhand.data.archives import is_archive
from evenhand.data.file_names import NAMED_TABLES, TABLES, table_suffix
from evenhand.data.files import absolute, check_utf8, is_dir, is_file, says_what_cannot_be_listed
from evenhand.data.sources.find_images import not_there
from evenhand.data.sources.folders import folder_source
from evenhand.data.sources.hub import hub_folder, is_hub, of_data_set
from evenhand.data.sources.kinds import Archive, Archives, ImageTables, OneImage, Shards, Source, Table
from evenhand.data.sources.patterns import common_folder, matching
from evenhand.data.sources.shards import is_shard
from evenhand.data.tables.schema import holds_images


def resolve(source: PathLike) -> Source:
    """Return the source that a path is.

    A path is a file, a folder, an address, a data set of the Hub, or a pattern such as
    `train-{000..012}.tar`. A folder is one of containers if these are its only data. Text, JSON, markers
    and a few images next to them are skipped.

    Raises
    ------
    EvenhandError
        If a pattern names a file that is missing, a folder holds several data sets or cannot be listed, or
        the path is not UTF-8.
    """
    path = absolute(Path(source))
    check_utf8(str(path), what="path")
    with says_what_cannot_be_listed(path):
        folder, split = hub_folder(path) if is_hub(path) else (path, None)
        found = folder_source(folder) if is_dir(folder) else _file_source(folder)
    return of_data_set(found, split) if is_hub(path) else found


def _file_source(path: Path) -> Source:
    """Return the source that a file is, or that the files of a pattern are."""
    several = matching(path)
    files = several or [path]
    root = common_folder(files)
    if all(file.suffix.lower() == ".tar" for file in files) and any(map(is_shard, files)):
        return Shards(root, files, alone=not several)
    if all(map(holds_images, files)):
        return ImageTables(root, files, alone=not several)
    if several:
        return Archives(root, files)
    if is_archive(path):
        return Archive(path)
    if is_file(path):
        return Table(path) if table_suffix(path.name) in (*TABLES, *NAMED_TABLES) else OneImage(path)
    raise not_there(path)
