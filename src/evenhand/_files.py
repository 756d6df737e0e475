"""Files that are either whole or absent."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evenhand._errors import EvenhandError

_SET = "files"
"""What a set of files is called while it is written; the name is hidden, as all temporary ones are."""


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
def all_or_none(folder: Path, *, last: str) -> Iterator[Path]:
    """Yield an empty folder inside `folder`; on success its files move up, on failure they go.

    Other files of `folder` stay as they are. The file `last` vouches for the others: it leaves first and
    comes last, so that a process killed in between leaves a folder without it, never halves of two sets.

    Raises
    ------
    EvenhandError
        If the disk is full, the folder is read-only, or the system refuses for another reason.
    """
    staging = _temporary(folder / _SET)
    try:
        with _made(folder):
            sweep(folder / _SET)
            try:
                staging.mkdir()
                yield staging
                with _alone(folder):
                    (folder / last).unlink(missing_ok=True)
                    for file in sorted(staging.iterdir(), key=lambda file: (file.name == last, file.name)):
                        file.replace(folder / file.name)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise EvenhandError(f"cannot write {folder}: {error.strerror or error}") from error


def check_replaceable(folder: Path, names: Collection[str], *, argument: str) -> None:
    """Refuse a folder to write into that holds anything but earlier files of these names.

    Raises
    ------
    EvenhandError
        If it does, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise EvenhandError(f"{argument} {folder} is a file; name a folder")
    others = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    others = sorted(name for name in others if name not in names and not name.startswith("."))
    if others:
        raise EvenhandError(f"{argument} {folder} exists and holds {others[0]}; name a new folder")


def was_interrupted(folder: Path) -> bool:
    """Tell whether a process was killed while `all_or_none` wrote into a folder."""
    return any(folder.glob(f".{_SET}.*.tmp"))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process moves files into a folder, where the file system knows locks."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def sweep(path: Path) -> None:
    """Remove what killed writers of `path` left beside it; the temporary files of living ones stay."""
    mark = re.compile(rf"\.{re.escape(path.name)}\.(\d{{1,9}})\.tmp")
    with suppress(OSError):
        for entry in path.parent.iterdir():
            found = mark.fullmatch(entry.name)
            if found is None or _lives(int(found[1])):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    """Tell whether another process lives; our own number on a file is that of one before us."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; on success it takes the place of `path`, on failure it goes.

    What a killed process leaves of it is `sweep`'s.

    Raises
    ------
    EvenhandError
        If `path` is a folder, the disk is full, the folder is read-only, or the system refuses for another
        reason.
    """
    temporary = _temporary(path)
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
    temporary = _temporary(path)
    try:
        sweep(path)
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
