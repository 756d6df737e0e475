"""One door to files: of this machine, or behind an s3://, gs:// or hf:// address, by pyarrow's file systems.

A remote file is a `Path` whose first part is a scheme. `Path("s3://bucket/a.jpg")` keeps one of the two
slashes, and `address` gives the other back; names, suffixes and joins work as for any path.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from pyarrow import ArrowException
from pyarrow import fs as arrow

from evenhand._errors import EvenhandError
from evenhand._optional import optional
from evenhand.data.file_names import is_litter

SCHEMES = ("s3:", "gs:", "hf:", "file:")
"""file:// goes the same way to this machine's own files."""
GIT_LFS = b"version https://git-lfs"
"""How a file begins that is a pointer of Git LFS to the data, and not the data."""
AHEAD = 4 << 20
"""Bytes that a remote file is read ahead: small members are next to each other, and each request waits."""
_SERVER_FAILED = re.compile(
    r"AWS Error (?!ACCESS_DENIED|NO_SUCH|RESOURCE_NOT_FOUND)|"
    r"google::cloud::Status\((?!NOT_FOUND|PERMISSION_DENIED|UNAUTHENTICATED)"
)
"""In what pyarrow says where it had no answer, or not one about the file: it is busy, or not reached."""


def is_remote(path: Path) -> bool:
    """Return whether a path is an address."""
    return path.parts[:1] != () and path.parts[0] in SCHEMES


def address(path: Path) -> str:
    """Return a path as text, a remote one as its address."""
    if not is_remote(path):
        return str(path)
    scheme, *rest = path.parts
    return f"{scheme}//{'/' if scheme == 'file:' else ''}{'/'.join(rest)}"


def absolute(path: Path) -> Path:
    """Return an absolute path, or an address as it is."""
    # Not resolve(): a linked folder keeps the name the user gave it.
    return path if is_remote(path) else path.absolute()


def check_utf8(name: str, *, what: str = "file name") -> None:
    """Refuse a name that a store cannot hold.

    Raises
    ------
    EvenhandError
        If it is not UTF-8.
    """
    try:
        name.encode()
    except UnicodeEncodeError as error:
        reads = sys.getfilesystemencoding()
        advice = "is not UTF-8; rename it"
        if reads != "utf-8":  # PYTHONUTF8=0, or the locale is of another encoding
            advice = f"is read as {reads} by this Python; set PYTHONUTF8=1"
        raise EvenhandError(f"the {what} {os.fsencode(name)!r} {advice}") from error


def server_failed(error: OSError) -> bool:
    """Return whether a server did not answer, rather than lacking the file or refusing it."""
    return _SERVER_FAILED.search(str(error)) is not None


@contextmanager
def says_what_cannot_be_listed(source: Path) -> Iterator[None]:
    """Turn the system's refusal to list into a sentence.

    Raises
    ------
    EvenhandError
        In the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        place = error.filename or address(source)
        reason = (error.strerror or str(error)).rstrip(".")
        remedy = (
            "run the same command again when it answers" if server_failed(error) else "check the permissions"
        )
        raise EvenhandError(f"cannot list {place}: {reason}; {remedy}") from error


def is_file(path: Path) -> bool:
    """Return whether a file exists."""
    return _kind(path) == arrow.FileType.File if is_remote(path) else path.is_file()


def is_dir(path: Path) -> bool:
    """Return whether a folder exists."""
    return _kind(path) == arrow.FileType.Directory if is_remote(path) else path.is_dir()


def exists(path: Path) -> bool:
    """Return whether anything of this name exists."""
    return _kind(path) != arrow.FileType.NotFound if is_remote(path) else path.exists()


def size_and_time(path: Path) -> tuple[int, int]:
    """Return the bytes of a file and when it changed, in nanoseconds.

    Raises
    ------
    OSError
        If there is none.
    """
    if is_remote(path):
        return _remote_status(path)
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def names_below(folder: Path) -> Iterator[str]:
    """Yield the names of all files below a folder, relative to it; hidden ones and litter are left out.

    Raises
    ------
    OSError
        If a folder cannot be listed.
    """
    if is_remote(folder):
        system, base = _system(folder)
        found = system.get_file_info(arrow.FileSelector(base, recursive=True))
        start = base.rstrip("/") + "/"
        names = sorted(entry.path.removeprefix(start) for entry in found if entry.type == arrow.FileType.File)
        yield from (name for name in names if not is_litter(name))
        return
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not is_litter(name))
        below = Path(place).relative_to(folder)
        yield from ((below / name).as_posix() for name in sorted(files) if not is_litter(name))


def _raise(error: OSError) -> None:
    raise error


def check_regular(path: Path) -> None:
    """Refuse what is neither a file nor a folder, before somebody waits for it.

    Raises
    ------
    OSError
        If it is a pipe, a socket or a device.
    """
    with suppress(FileNotFoundError):
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR):
            raise OSError(errno.EINVAL, "a pipe or a device, not a file; save its content to a file first")


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading anywhere in it.

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    if not is_remote(path):
        check_regular(path)
        return path.open("rb")
    system, inner = _system(path)
    return io.BufferedReader(system.open_input_file(inner), AHEAD)


def read_range(path: Path, start: int, size: int) -> bytes:
    """Return `size` bytes of a file from `start` on, fewer at its end.

    A remote file stays open, and what was read ahead serves the next call.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    if not is_remote(path):
        with path.open("rb") as stream:
            stream.seek(start)
            return stream.read(size)
    return _shared(path, os.getpid()).read_at(start, size)


class _Shared:
    def __init__(self, path: Path) -> None:
        self._stream, self._lock = open_bytes(path), Lock()

    def read_at(self, start: int, size: int) -> bytes:
        with self._lock:
            self._stream.seek(start)
            return self._stream.read(size)


@lru_cache(maxsize=64)
def _shared(path: Path, process: int) -> _Shared:  # noqa: ARG001  connections do not outlive a fork
    return _Shared(path)


def _system(path: Path) -> tuple[Any, str]:
    """Return the file system that an address means, and the path in it."""
    scheme, *rest = path.parts
    if scheme == "file:":
        return arrow.LocalFileSystem(), "/" + "/".join(rest)
    if scheme == "hf:":
        return _hub(os.getpid()), "/".join(rest)
    if not rest:
        raise EvenhandError(f"{address(path)} names no bucket; write {scheme}//BUCKET/FOLDER")
    return _bucket(f"{scheme}//{rest[0]}", os.getpid()), "/".join(rest)


@lru_cache(maxsize=64)
def _bucket(uri: str, process: int) -> Any:  # noqa: ARG001  connections do not outlive a fork
    try:
        # Not with the name in it: that would have to be escaped.
        return arrow.FileSystem.from_uri(uri)[0]
    except (OSError, ValueError, ArrowException) as error:
        raise EvenhandError(
            f"{uri} cannot be reached ({error}); check the name and the credentials"
        ) from error


@lru_cache(maxsize=1)
def _hub(process: int) -> Any:  # noqa: ARG001
    """Return the Hub as a file system: it reads ranges of files, and downloads nothing to the disk."""
    client = optional("huggingface_hub", "hf").HfFileSystem(skip_instance_cache=True)
    return arrow.PyFileSystem(arrow.FSSpecHandler(client))


def _kind(path: Path) -> Any:
    return _info(path, os.getpid()).type


def _remote_status(path: Path) -> tuple[int, int]:
    found = _info(path, os.getpid())
    if found.type != arrow.FileType.File:
        raise FileNotFoundError(2, "no such file", address(path))
    return found.size, 0


@lru_cache(maxsize=4096)
def _info(path: Path, process: int) -> Any:  # noqa: ARG001
    """Return what a server tells of a file, which is taken not to change while this process runs."""
    system, inner = _system(path)
    return system.get_file_info(inner)
