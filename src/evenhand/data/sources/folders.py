"""What kind of source a folder is, by the files in it: image files, files that hold images, or a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from evenhand._errors import EvenhandError
from evenhand.data.file_names import ARCHIVES, IMAGE_TABLES, has_image_name, suffix
from evenhand.data.files import is_remote, names_below
from evenhand.data.labels import some
from evenhand.data.sources.kinds import Archives, Containers, Folder, ImageTables, Shards, Source, Table
from evenhand.data.sources.shards import is_shard
from evenhand.data.split_names import SPLIT_NAMES
from evenhand.data.tables.parts import are_parts
from evenhand.data.tables.schema import holds_images

_ASIDE = {"assets", "docs", "figures", "media", "static", "thumbnails"}
"""Folders with images that only illustrate a README."""
_FEW = 100
"""Largest number of images next to containers that are skipped. A folder with more is one of image files."""


@dataclass(frozen=True)
class Contents:
    """The names of the files in a folder, each list in order. Hidden files are left out.

    Attributes
    ----------
    containers : list of str
        Archives, and tables that may hold images.
    images : list of str
        Image files next to them.
    others : list of str
        All other files, such as text, JSON and markers.
    """

    containers: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def folder_source(folder: Path) -> Source:
    """Return the source that a folder is.

    Raises
    ------
    EvenhandError
        If the folder is a Delta table, or holds several data sets.
    OSError
        If the folder cannot be listed.
    """
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
    elif files := [file for file in containers if holds_images(file)]:
        _check_one_set(folder, files)
        kind = ImageTables
    elif archives and not found.images:
        kind, files = Archives, archives
    elif found.images or is_remote(folder) or not are_parts([*found.containers, *found.others]):
        return Folder(folder)
    else:
        return Table(folder)
    return kind(folder, files, notes=_skipped(kind, folder, files, found))


def contents(folder: Path) -> Contents | None:
    """Return the files of a folder by kind; None if image files are its data.

    The search ends at the first image that is in a subfolder, because a folder of images may be large.

    Raises
    ------
    OSError
        If the folder cannot be listed.
    """
    found = Contents()
    for name in names_below(folder):
        if has_image_name(name):
            found.images.append(name)
            if len(found.images) > _FEW or not _lies_aside(name):
                return None
        elif _is_container(name):
            found.containers.append(name)
        else:
            found.others.append(name)
    return found


def _is_container(name: str) -> bool:
    last = PurePosixPath(name).name
    # The Hugging Face datasets library keeps results of map() and filter() in files of these names.
    if last.startswith("cache-") and last.endswith(".arrow"):
        return False
    return suffix(last) in (*ARCHIVES, *IMAGE_TABLES)


def _lies_aside(name: str) -> bool:
    """Return whether an image is next to the containers, or illustrates a README."""
    top, slash, _ = name.partition("/")
    return not slash or top.lower() in _ASIDE


def _check_one_set(folder: Path, tables: Sequence[Path]) -> None:
    """Refuse a folder that holds several data sets, such as the configurations of one on the Hub.

    Two subfolders that hold tables of the same name show it.
    """
    places = {table.relative_to(folder).parent for table in tables}
    sets = {_without_splits(place) for place in places}
    twice = len({table.name for table in tables}) < len(tables)
    if len(sets) > 1 and twice:
        raise EvenhandError(
            f"{folder} holds several data sets, in {some(sorted(map(str, sets)))}; give one of these folders"
        )


def _without_splits(place: Path) -> PurePosixPath:
    # A folder such as "label=cat" is a column's value, and not a data set.
    kept = (part for part in place.parts if part.lower() not in SPLIT_NAMES and "=" not in part)
    return PurePosixPath(*kept)


def _skipped(kind: type[Containers], folder: Path, files: Sequence[Path], found: Contents) -> tuple[str, ...]:
    """Return a note on the files of a folder that are not read; none if there are none besides READMEs."""
    read = {file.relative_to(folder).as_posix() for file in files}
    rest = (*found.images, *(name for name in found.containers if name not in read), *found.others)
    left = [name for name in rest if not name.startswith("README")]
    if not left:
        return ()
    return (
        f"the images are those of {len(read)} {kind.what}, as {files[0].name}; skipped: {some(left, most=3)}",
    )
