"""Files that are either whole or absent."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evenhand._errors import EvenhandError


def sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def make_folder(path: Path) -> None:
    """Make a folder and its parents.

    Raises
    ------
    EvenhandError
        If the system refuses.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvenhandError(f"cannot make the folder {path}: {error.strerror or error}") from error


@contextmanager
def all_or_none(folder: Path) -> Iterator[Path]:
    """Yield an empty folder inside `folder`; on success its files move up, on failure they go.

    Other files of `folder` stay as they are.

    Raises
    ------
    EvenhandError
        If the disk is full, the folder is read-only, or the system refuses for another reason.
    """
    staging = folder / f".{os.getpid()}.tmp"
    try:
        with _made(folder):
            try:
                staging.mkdir()
                yield staging
                for file in sorted(staging.iterdir()):
                    file.replace(folder / file.name)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise EvenhandError(f"cannot write {folder}: {error.strerror or error}") from error


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success it takes the place of `path`, on failure it goes.

    Raises
    ------
    EvenhandError
        If `path` is a folder, the disk is full, the folder is read-only, or the system refuses for another
        reason.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if path.is_dir():
            raise EvenhandError(f"cannot write {path}: it is a folder; name a file")
        with _made(path.parent):
            try:
                yield temporary
                with temporary.open("rb+") as stream:
                    os.fsync(stream.fileno())
                temporary.replace(path)
            finally:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
    except OSError as error:
        raise EvenhandError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder and its parents; of those made here, the ones left empty go again."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for path in made:
            with suppress(OSError):
                path.rmdir()


@contextmanager
def atomic_folder(path: Path, *, argument: str) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on success it takes the place of `path`, on failure it goes.

    Raises
    ------
    EvenhandError
        If `path` is a file or holds anything, the disk is full, or the system refuses for another reason.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100  "." has no name; links keep theirs
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise EvenhandError(f"{argument} {path} exists and is no empty folder; name a new one")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for file in filter(Path.is_file, temporary.rglob("*")):
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())
        if path.exists():
            path.rmdir()
        temporary.replace(path)
    except OSError as error:
        raise EvenhandError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
