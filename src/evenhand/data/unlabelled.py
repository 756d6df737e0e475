"""Pictures without labels, of which a folder may hold any number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenhand._typing import PathLike, Strings
from evenhand.data.files import absolute, is_dir, is_remote
from evenhand.data.manifest import Manifest
from evenhand.data.sources.find_images import no_images, walk_images
from evenhand.data.sources.listing import place_of, says_what_cannot_be_listed
from evenhand.data.sources.resolve import container_of
from evenhand.data.tables.read import part_files
from evenhand.data.texts_on_disk import TextsOnDisk


@dataclass(frozen=True)
class Pictures:
    """N pictures, row by row.

    Attributes
    ----------
    ids : sequence of str
        Unique: as those of a `Manifest`.
    paths : sequence of str
        Absolute.
    """

    ids: Sequence[str] | Strings
    paths: Sequence[str] | Strings

    def __len__(self) -> int:
        return len(self.ids)


def list_pictures(source: PathLike, room: Path) -> Pictures:
    """Return what `Manifest.read(source, labelled=False)` lists, in the same order.

    The list of a folder on this machine lies on the disk, so that memory does not grow with it; archives,
    tables and addresses are listed in memory.

    Parameters
    ----------
    source : str or Path
        Images: a folder, an archive, a table, or one picture.
    room : Path
        A folder where the list may lie; it leaves nothing there.

    Raises
    ------
    EvenhandError
        If the source cannot be listed, or holds no picture.
    OSError
        If the list cannot be written.
    """
    root = absolute(Path(source))
    if not is_plain_folder(root):
        manifest = Manifest.read(source, labelled=False)
        return Pictures(manifest.ids, manifest.paths)
    ids = TextsOnDisk(_names(root), room)
    if not ids:
        raise no_images(root)
    return Pictures(ids, _Paths(root, ids))


def is_plain_folder(root: Path) -> bool:
    """Tell whether a source is a folder of picture files on this machine."""
    with says_what_cannot_be_listed(root):
        return not is_remote(root) and is_dir(root) and container_of(root) is None and not part_files(root)


def _names(root: Path) -> Iterator[str]:
    with says_what_cannot_be_listed(root):
        yield from walk_images(root)


@dataclass(frozen=True)
class _Paths(Sequence[str]):
    """Where pictures lie, made when asked for."""

    root: Path
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, position: Any) -> Any:
        return place_of(self.root, self.ids[position])
