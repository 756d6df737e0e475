"""Images without labels, however many a folder holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evenhand._typing import PathLike, Strings
from evenhand.data.files import says_what_cannot_be_listed
from evenhand.data.manifest import without_repeats
from evenhand.data.sources.find_images import no_images, walk_images
from evenhand.data.sources.kinds import Source, Table
from evenhand.data.sources.listing import Options, path_in
from evenhand.data.sources.resolve import resolve
from evenhand.data.sources.tree import refuse_columns
from evenhand.data.texts_on_disk import TextsOnDisk

_NONE = Options()


@dataclass(frozen=True)
class Pictures:
    """N images, row by row.

    Attributes
    ----------
    ids : sequence of str
        Unique: as those of a `Manifest`.
    paths : sequence of str
        Absolute.
    source : Source
        What lists them.
    options : Options
        The column and the root of the paths of a table.
    notes : tuple of str
        What the user should know, one sentence each.
    """

    ids: Sequence[str] | Strings
    paths: Sequence[str] | Strings
    source: Source
    options: Options = _NONE
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


def list_pictures(source: PathLike, room: Path, options: Options = _NONE) -> Pictures:
    """Return what `Manifest.read(source, labeled=False)` lists, in the same order.

    The list of a folder on this machine is on the disk, so that memory does not grow with it; archives,
    tables and addresses are listed in memory.

    Parameters
    ----------
    source : str or Path
        Images: a folder, an archive, a table, or one image.
    room : Path
        A folder where the list may be; it leaves nothing there.
    options : Options
        `path` and `root`, for a table.

    Raises
    ------
    EvenhandError
        If the source cannot be listed, holds no image, or has no use for an option.
    OSError
        If the list cannot be written.
    """
    found = resolve_with(source, options)
    if not found.grows:
        listing = without_repeats(found.listing(replace(options, labeled=False)))
        return Pictures(listing.ids, listing.paths, found, options, listing.notes)
    ids = TextsOnDisk(names_in(found.path), room)
    if not ids:
        raise no_images(found.path)
    return Pictures(ids, _Paths(found.path, ids), found)


def resolve_with(source: PathLike, options: Options) -> Source:
    """Return what a path is, and refuse options that only a table has a use for.

    Raises
    ------
    EvenhandError
        If it is none and has one, or cannot be resolved.
    """
    found = resolve(source)
    if not isinstance(found, Table):
        refuse_columns(options, f"{found.path} is not a table of paths")
    return found


def names_in(root: Path) -> Iterator[str]:
    """Yield the names of the images in a folder of this machine.

    Raises
    ------
    EvenhandError
        If it cannot be listed, or a name is not UTF-8.
    """
    with says_what_cannot_be_listed(root):
        yield from walk_images(root)


@dataclass(frozen=True)
class _Paths(Sequence[str]):
    """Where images are, made when asked for."""

    root: Path
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, position: Any) -> Any:
        return path_in(self.root, self.ids[position])
