"""Files inside zip and tar archives, read in place: nothing is ever unpacked to the disk.

A member is named by the archive's path followed by its own, as if the archive were a folder.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path
from textwrap import shorten
from typing import BinaryIO, NamedTuple

from evenhand._errors import EvenhandError
from evenhand.data.file_names import ARCHIVES, COMPRESSED, is_litter, table_suffix
from evenhand.data.files import GIT_LFS, is_file, is_remote, open_bytes, read_range, size_and_time

_PART = re.compile(r"\.(z|r)\d\d$|\.(zip|tar|7z|rar|tgz|gz)\.(\d{3}|part\w+)$|\.part\d+\.\w+$", re.IGNORECASE)
LARGEST = 1 << 29
"""Bytes of a member that are read at most: a few kilobytes of a zip may stand for terabytes."""

_INSTEAD = (
    (GIT_LFS, "it is a pointer of Git LFS, not the data: run git lfs pull"),
    (
        (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"),
        "it is compressed: unpack it, or make it a .zip",
    ),
)
# A hostile header reaches far into the two modules: numbers and names that are none, maps that are cut.
_DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, LookupError),
    *(struct.error, ArithmeticError, TypeError, RecursionError),
)

Index = dict[str, tuple[int, int]]
"""Name to (where its bytes begin, how many they are); in a zip the first is the number of its entry."""


def is_archive(path: Path) -> bool:
    """Return whether a path is an archive that is read in place, or leads into one.

    Raises
    ------
    EvenhandError
        If it is a file of another archive format.
    """
    if not is_file(path):
        return split_archive(path) is not None
    if _PART.search(path.name):
        raise EvenhandError(
            f"{path} is a part of a split archive; join the parts, for example with cat a.zip.* > a.zip or "
            "zip -s 0, and give the joined file"
        )
    if table_suffix(path.name) in COMPRESSED:
        raise EvenhandError(
            f"{path} is a compressed archive, which cannot be read in place; unpack it, or make it a .zip or "
            "a plain .tar"
        )
    return path.suffix.lower() in ARCHIVES


def split_archive(path: Path) -> tuple[Path, str] | None:
    """Return the archive that a path leads into and the name of the member; None for an ordinary path."""
    parts = path.parts
    for end in range(1, len(parts)):
        if parts[end - 1].lower().endswith(ARCHIVES):
            archive = Path(*parts[:end])
            # By its name where asking costs a request for each image.
            if is_remote(archive) or archive.is_file():
                return archive, "/".join(parts[end:])
    return None


def members(place: Path) -> list[str]:
    """Return the names of the files in an archive or in a folder of one; hidden ones are skipped.

    Raises
    ------
    EvenhandError
        If it is damaged or encrypted, holds nothing but links, or has a device, a name twice, or one that
        leads out of it.
    """
    return _below(place, links=False)


def links_in(place: Path) -> list[str]:
    """Return the names of the links in an archive or in a folder of one; `members` skips them.

    Raises
    ------
    EvenhandError
        As `members`.
    """
    return _below(place, links=True)


def _below(place: Path, *, links: bool) -> list[str]:
    archive, folder = split_archive(place) or (place, "")
    start = f"{folder}/" if folder else ""
    content = _content_of(archive)
    names = content.links if links else content.files
    below = [name.removeprefix(start) for name in names if name.startswith(start)]
    return [name for name in below if not is_litter(name)]


def is_inside(name: str) -> bool:
    """Return whether a relative name stays inside its folder, on every system."""
    clean = posixpath.normpath(name)
    return clean != ".." and not clean.startswith(("/", "../")) and "\\" not in name and "\0" not in name


def read_member(archive: Path, name: str) -> bytes:
    """Return the bytes of a member.

    Raises
    ------
    OSError
        If there is no such member, or it is encrypted, damaged or larger than `LARGEST`.
    """
    start, size = _entry(archive, name)
    if size > LARGEST:
        raise OSError(f"larger than {LARGEST >> 20} MiB in its archive")
    try:
        if archive.suffix.lower() == ".tar":
            content = read_range(archive, start, size)
        else:
            opened = _opened(archive, size_and_time(archive)[1], os.getpid())
            with opened.open(opened.infolist()[start]) as member:
                content = member.read(size + 1)
    # RuntimeError and NotImplementedError: encrypted, or packed by a method that Python lacks.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise OSError(f"damaged in its archive ({error})") from error
    if len(content) != size:
        raise OSError("truncated in its archive")
    return content


@lru_cache(maxsize=16)
def _opened(archive: Path, modified: int, process: int) -> zipfile.ZipFile:  # noqa: ARG001
    """Return an open zip: one per process, since those that fork would share its place in the file."""
    return zipfile.ZipFile(open_bytes(archive))


def member_size(archive: Path, name: str) -> int:
    """Return the bytes of a member.

    Raises
    ------
    OSError
        If there is none.
    """
    return _entry(archive, name)[1]


def _entry(archive: Path, name: str) -> tuple[int, int]:
    found = _content_of(archive).files.get(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not in {archive}")
    return found


class _Content(NamedTuple):
    files: Index
    links: tuple[str, ...]


def _content_of(archive: Path) -> _Content:
    return _content(archive, *size_and_time(archive))


@lru_cache(maxsize=4096)
def _content(archive: Path, size: int, modified: int) -> _Content:  # noqa: ARG001  a changed file is read anew
    with open_bytes(archive) as stream:
        try:
            found = _tar(stream, size) if archive.suffix.lower() == ".tar" else _zip(stream)
        except _DAMAGED as error:
            what = f"{archive} cannot be read as an archive ({error or type(error).__name__})"
            stream.seek(0)
            head = stream.read(24)
            remedy = next((remedy for sign, remedy in _INSTEAD if head.startswith(sign)), "make it again")
            raise EvenhandError(f"{what}; {remedy}") from error
    index: Index = {}
    links = tuple(posixpath.normpath(name) for name, _, _, fault in found if fault == _LINK)
    only_links = len(links) == len(found)
    for name, start, length, fault in found:
        if fault == _LINK and not only_links:
            continue
        clean = posixpath.normpath(name)
        if fault is None and not name.isascii() and name != name.encode(errors="ignore").decode():
            fault = "a name that is not UTF-8"
        if fault is None and "\\" in name:
            fault = "a name with a backslash, which does not separate folders in a tar"
        if fault is None and not is_inside(name):
            fault = "a name that leads out of it"
        if fault is None and clean in index:
            fault = "a duplicate name"
        if fault is not None:
            raise EvenhandError(f"{archive} has {fault}: {shorten(repr(name), 200)}; pack only plain files")
        index[clean] = (start, length)
    return _Content(index, links)


_LINK = "a link"
Found = list[tuple[str, int, int, "str | None"]]
"""Name, place, size, and what is wrong with it."""


def _tar(stream: BinaryIO, size: int) -> Found:
    found: Found = []
    places: dict[str, tuple[int, int]] = {}
    with tarfile.open(fileobj=stream, mode="r:") as opened:
        for member in opened:
            # Receives at once: the next entry would be looked for before this one, for ever.
            if member.size < 0:
                raise tarfile.ReadError(f"{member.name!r} has {member.size} bytes")
            if member.isdir():
                continue
            fault, place = None, (member.offset_data, member.size)
            if member.islnk() and member.linkname in places:
                place = places[member.linkname]  # tar writes one file under two names so
            elif member.issym() or member.islnk():
                fault = _LINK
            elif not member.isreg() or member.issparse():
                fault = "an entry that is not a regular file"
            elif member.offset_data + member.size > size:
                fault = "an entry that is longer than the archive"
            else:
                places[member.name] = place
            found.append((member.name, *place, fault))
    return found


def _zip(stream: BinaryIO) -> Found:
    found: Found = []
    with zipfile.ZipFile(stream) as opened:
        for number, member in enumerate(opened.infolist()):
            # Some Windows tools separate folders by backslashes, against the format.
            name = member.filename.replace("\\", "/")
            if name.endswith("/"):
                continue
            kind = stat.S_IFMT(member.external_attr >> 16)
            fault = None
            if kind == stat.S_IFLNK:
                fault = _LINK
            elif kind not in (0, stat.S_IFREG):
                fault = "an entry that is not a regular file"
            elif member.flag_bits & 1:
                fault = "an encrypted entry"
            found.append((name, number, member.file_size, fault))
    return found
