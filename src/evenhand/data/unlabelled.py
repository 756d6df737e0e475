"""Images without labels, however many a folder holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenhand._typing import PathLike, Strings
from evenhand.data.files import says_what_cannot_be_listed
from evenhand.data.manifest import without_repeats
from evenhand.data.sources.find_images import no_images, walk_images
from evenhand.data.sources.kinds import Source
from evenhand.data.sources.listing import Options, path_in
from evenhand.data.sources.resolve import resolve
from evenhand.data.texts_on_disk import TextsOnDisk


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
    """

    ids: Sequence[str] | Strings
    paths: Sequence[str] | Strings
    source: Source

    def __len__(self) -> int:
        return len(self.ids)


def list_pictures(source: PathLike, room: Path) -> Pictures:
    """Return what `Manifest.read(source, labeled=False)` lists, in the same order.

    The list of a folder on this machine lies on the disk, so that memory does not grow with it; archives,
    tables and addresses are listed in memory.

    Parameters
    ----------
    source : str or Path
        Images: a folder, an archive, a table, or one image.
    room : Path
        A folder where the list may lie; it leaves nothing there.

    Raises
    ------
    EvenhandError
        If the source cannot be listed, or holds no image.
    OSError
        If the list cannot be written.
    """
    found = resolve(source)
    if not found.grows:
        listing = without_repeats(found.listing(Options(labeled=False)))
        return Pictures(listing.ids, listing.paths, found)
    ids = TextsOnDisk(names_in(found.path), room)
    if not ids:
        raise no_images(found.path)
    return Pictures(ids, _Paths(found.path, ids), found)


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
    """Where images lie, made when asked for."""

    root: Path
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, position: Any) -> Any:
        return path_in(self.root, self.ids[position])
