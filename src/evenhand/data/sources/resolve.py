"""What kind of source a path is: resolved once, into an object that lists its images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evenhand._errors import EvenhandError
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
from evenhand.data.sources.contents import Contents, contents
from evenhand.data.sources.find_images import not_there
from evenhand.data.sources.hub import hub_folder, is_hub, of_data_set
from evenhand.data.sources.kinds import (
    Archive,
    Archives,
    Containers,
    Folder,
    ImageTables,
    OneImage,
    Shards,
    Source,
    Table,
)
from evenhand.data.sources.patterns import common_folder, matching
from evenhand.data.sources.picture_tables import check_one_set, holds_pictures
from evenhand.data.sources.shards import is_shard
from evenhand.data.tables.parts import are_parts


def resolve(source: PathLike) -> Source:
    """Return the source that a path is.

    A path is a file, a folder, an address, a data set of the Hub, or a pattern such as
    `train-{000..012}.tar`. A folder is one of containers where these are its only data; text, JSON, markers
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
        found = _folder(folder) if is_dir(folder) else _files(folder)
    return of_data_set(found, split) if is_hub(path) else found


def _files(path: Path) -> Source:
    """Return the source that a file is, or the files that a pattern stands for."""
    several = matching(path)
    files = several or [path]
    root = common_folder(files)
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


def _folder(folder: Path) -> Source:
    found = contents(folder)
    if found is None:
        return Folder(folder)
    if any(name.startswith("_delta_log/") for name in found.others):
        raise EvenhandError(
            f"{folder} is a Delta table, whose files also hold rows that were deleted; write its rows to "
            "Parquet or CSV, and give that"
        )
    containers = [folder / name for name in found.containers]
    archives = [file for file in containers if file.suffix.lower() in ARCHIVES]
    tars = [file for file in archives if file.suffix.lower() == ".tar"]
    kind: type[Containers]
    if any(map(is_shard, tars)):
        kind, files = Shards, tars
    elif files := [file for file in containers if holds_pictures(file)]:
        check_one_set(folder, files)
        kind = ImageTables
    elif archives and not found.images:
        kind, files = Archives, archives
    elif found.images or is_remote(folder) or not are_parts([*found.containers, *found.others]):
        return Folder(folder)
    else:
        return Table(folder)
    return kind(folder, files, notes=_aside(kind, folder, files, found))


def _aside(kind: type[Containers], folder: Path, files: Sequence[Path], found: Contents) -> tuple[str, ...]:
    read = {file.relative_to(folder).as_posix() for file in files}
    rest = (*found.images, *(name for name in found.containers if name not in read), *found.others)
    left = [name for name in rest if not name.startswith("README")]
    if not left:
        return ()
    return (
        f"the images are those of {len(read)} {kind.what}, as {files[0].name}; skipped: {some(left, most=3)}",
    )
