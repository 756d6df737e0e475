"""Where the bytes of an image are: in a file, at an address, in an archive, or in a row of a table.

The kind of a path is resolved once, by `place_of`; what it returns knows its size and opens.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, ClassVar

from evenhand.data.archives import member_size, read_member, split_archive
from evenhand.data.file_names import ARCHIVES, IMAGE_TABLES
from evenhand.data.files import SCHEMES, check_regular, is_remote, open_bytes, size_and_time
from evenhand.data.parquet_cells import cell_size, read_cell, split_cell


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine."""

    path: Path
    remote: ClassVar[bool] = False

    def open(self) -> BinaryIO:
        """Open the file for reading; a pipe or a device is an OSError, since it would be waited for."""
        check_regular(self.path)
        return self.path.open("rb")

    def size(self) -> int:
        """Return its bytes; an OSError if it is not a regular file."""
        status = self.path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError("not a regular file")
        return status.st_size


@dataclass(frozen=True)
class RemoteFile:
    """A file at an address."""

    path: Path
    remote: ClassVar[bool] = True

    def open(self) -> BinaryIO:
        """Open the file for reading anywhere in it."""
        return open_bytes(self.path)

    def size(self) -> int:
        """Return its size in bytes, as the server reports it."""
        return size_and_time(self.path)[0]


@dataclass(frozen=True)
class Member:
    """A file in a zip or a tar."""

    archive: Path
    name: str

    @property
    def remote(self) -> bool:
        """Whether the archive is at an address."""
        return is_remote(self.archive)

    def open(self) -> BinaryIO:
        """Return its bytes as a stream."""
        return BytesIO(read_member(self.archive, self.name))

    def size(self) -> int:
        """Return its bytes."""
        return member_size(self.archive, self.name)


@dataclass(frozen=True)
class Cell:
    """The image in a row of a Parquet or Arrow file."""

    file: Path
    row: int

    @property
    def remote(self) -> bool:
        """Whether the table is at an address."""
        return is_remote(self.file)

    def open(self) -> BinaryIO:
        """Return its bytes as a stream."""
        return BytesIO(read_cell(self.file, self.row))

    def size(self) -> int:
        """Return its share of the bytes of its file, as `cell_size`."""
        return cell_size(self.file, self.row)


Place = LocalFile | RemoteFile | Member | Cell


def place_of(path: Path) -> Place:
    """Return where the bytes of a path are; nothing is opened, and nothing need be there."""
    # Asked of the names first: of a million plain files none is looked at.
    *folders, _ = path.parts or ("",)
    if any(folder.lower().endswith(ARCHIVES) for folder in folders):
        inside = split_archive(path)
        if inside is not None:
            return Member(*inside)
    if folders and folders[-1].lower().endswith(IMAGE_TABLES):
        cell = split_cell(path)
        if cell is not None:
            return Cell(*cell)
    return RemoteFile(path) if folders and folders[0] in SCHEMES else LocalFile(path)


def open_file(path: Path) -> BinaryIO:
    """Open a file, a member of an archive or a cell of a table for reading bytes.

    Raises
    ------
    OSError
        If there is none, or it cannot be read.
    """
    return place_of(path).open()


def total_bytes(paths: Iterable[str]) -> int:
    """Return the bytes of all images together.

    Images that are remote or missing count 0: to ask a server for each takes longer than to embed it.
    """
    total = 0
    for path in paths:
        place = place_of(Path(path))
        with suppress(OSError):
            total += 0 if place.remote else place.size()
    return total


def is_there(path: Path) -> bool:
    """Return whether an image exists at its path."""
    try:
        place_of(path).size()
    except OSError:
        return False
    return True
