"""Sources whose pictures other files hold: WebDataset's shards, Parquet and Arrow tables, archives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from evenhand._errors import EvenhandError
from evenhand.data.archives import SUFFIXES as ARCHIVES
from evenhand.data.files import is_dir
from evenhand.data.labels import some
from evenhand.data.sources.archive_sets import list_archives
from evenhand.data.sources.contents import Inventory, inventory
from evenhand.data.sources.listing import Listing, Options
from evenhand.data.sources.patterns import matching
from evenhand.data.sources.picture_tables import holds_pictures, list_picture_tables
from evenhand.data.sources.shards import is_shard, list_shards
from evenhand.data.split_names import SPLIT_NAMES


@dataclass(frozen=True)
class Container:
    """One or more files that hold the pictures.

    Attributes
    ----------
    kind : "shards", "tables" or "archives"
        What they are.
    root : Path
        The folder that ids are relative to.
    files : sequence of Path
        In order.
    alone : bool
        Whether one file was given, whose name tells no split.
    notes : tuple of str
        What was passed over.
    """

    kind: Literal["shards", "tables", "archives"]
    root: Path
    files: Sequence[Path]
    alone: bool = False
    notes: tuple[str, ...] = ()

    def list(self, options: Options, list_one: Callable[[Path, Options], Listing]) -> Listing:
        """List the pictures; `list_one` lists those of one archive.

        Raises
        ------
        EvenhandError
            If a file cannot be read, a label is missing, or a named column is.
        """
        if self.kind == "shards":
            found = list_shards(self.root, self.files, options, alone=self.alone)
        elif self.kind == "tables":
            found = list_picture_tables(self.root, self.files, options, alone=self.alone)
        else:
            found = list_archives(self.root, self.files, options, list_one)
        return replace(found, notes=(*self.notes, *found.notes))


def container_of(source: Path) -> Container | None:
    """Return what a source is if other files hold its pictures; None for anything else.

    A source is a file, a folder, or a pattern such as `train-{000..012}.tar`. A folder is one where
    containers are its only data; text, JSON, markers and a few pictures beside them are passed over.

    Raises
    ------
    EvenhandError
        If a pattern names a file that is missing, or a folder holds several data sets.
    OSError
        If a folder cannot be listed.
    """
    if is_dir(source):
        found = inventory(source)
        return None if found is None else _in_folder(source, found)
    files = matching(source)
    if files:
        root = _common_folder(files)
        if all(file.suffix.lower() == ".tar" for file in files) and any(map(is_shard, files)):
            return Container("shards", root, files)
        if all(map(holds_pictures, files)):
            return Container("tables", root, files)
        return Container("archives", root, files)
    if is_shard(source):
        return Container("shards", source.parent, [source], alone=True)
    return Container("tables", source.parent, [source], alone=True) if holds_pictures(source) else None


def _in_folder(folder: Path, found: Inventory) -> Container | None:
    archives = [file for file in found.containers if file.suffix.lower() in ARCHIVES]
    tars = [file for file in archives if file.suffix.lower() == ".tar"]
    if any(map(is_shard, tars)):
        return _told(Container("shards", folder, tars), found)
    tables = [file for file in found.containers if holds_pictures(file)]
    if tables:
        _check_one_set(folder, tables)
        return _told(Container("tables", folder, tables), found)
    if archives and not found.pictures:
        return _told(Container("archives", folder, archives), found)
    return None


def _told(container: Container, found: Inventory) -> Container:
    read = set(container.files)
    left = [file.relative_to(container.root).as_posix() for file in found.containers if file not in read]
    aside = [*found.pictures, *left, *found.others]
    if not aside:
        return container
    names = {"shards": "WebDataset shards", "tables": "tables with pictures", "archives": "archives"}
    note = (
        f"the pictures are those of {len(read)} {names[container.kind]}, as {container.files[0].name}; "
        f"passed over: {some(aside, most=3)}"
    )
    return replace(container, notes=(note,))


def _check_one_set(folder: Path, tables: Sequence[Path]) -> None:
    """Refuse folders that hold the configurations of a data set, each a set of its own, side by side."""
    places = {table.relative_to(folder).parent for table in tables}
    sets = {_without_splits(place) for place in places}
    twice = len({table.name for table in tables}) < len(tables)
    if len(sets) > 1 and twice:
        raise EvenhandError(
            f"{folder} holds several data sets, in {some(sorted(map(str, sets)))}; give one of these folders"
        )


def _without_splits(place: Path) -> PurePosixPath:
    # As in "label=cat": not a set, but what a column of it says.
    kept = (part for part in place.parts if part.lower() not in SPLIT_NAMES and "=" not in part)
    return PurePosixPath(*kept)


def _common_folder(files: Sequence[Path]) -> Path:
    shared = [parts[0] for parts in zip(*(file.parent.parts for file in files)) if len(set(parts)) == 1]  # noqa: B905
    return Path(*shared)
