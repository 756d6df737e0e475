"""Files that are either whole or absent."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._lock import FileLock, lock_path
from evenhand._outputs import check_new

_ATTEMPTS = 100
_SET = "files"
"""Name of a set of files while it is written; it is hidden, as all temporary names are."""


def file_sha256(path: Path) -> str:
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
def all_or_none(folder: Path, *, last: str, stale: Collection[str] = ()) -> Iterator[Path]:
    """Yield an empty folder inside `folder`; on success its files move up, on failure they are removed.

    Other files of `folder` stay as they are. The file `last` has the checksums of the others: it is removed
    first and written last. So a process that is killed in between leaves a folder without it, never halves
    of two sets.
    The files `stale` are removed with it: an earlier set had them, and this one may not.

    Raises
    ------
    EvenhandError
        If the disk is full, the folder is read-only, or the system refuses for another reason.
    """
    try:
        with _made(folder):
            sweep(folder / _SET)
            with _temporary(folder / _SET, folder=True) as staging:
                yield staging
                with _alone(folder):
                    for name in (last, *stale):
                        (folder / name).unlink(missing_ok=True)
                    for file in sorted(staging.iterdir(), key=lambda file: (file.name == last, file.name)):
                        file.replace(folder / file.name)
    except OSError as error:
        raise EvenhandError(f"cannot write {folder}: {error.strerror or error}") from error


def was_interrupted(folder: Path) -> bool:
    """Return whether a process was killed while `all_or_none` wrote into a folder."""
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


def temporary_names(name: str) -> re.Pattern[str]:
    """Return what matches the temporary names of a file or folder called `name`."""
    return re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}\.tmp")


@contextmanager
def _temporary(path: Path, *, folder: bool) -> Iterator[Path]:
    """Make an empty file or folder of a random name next to `path`; `sweep` leaves it alone meanwhile."""
    made, lock = _reserve(path, folder=folder)
    try:
        yield made
    finally:
        _remove(made)
        if lock is not None:
            lock.release()


def _remove(made: Path) -> None:
    """Remove a file, a folder, or nothing."""
    if made.is_dir():
        shutil.rmtree(made, ignore_errors=True)
    else:
        with suppress(OSError):
            made.unlink(missing_ok=True)


def _reserve(path: Path, *, folder: bool) -> tuple[Path, FileLock | None]:
    """Make an empty file or folder of a new name, and lock it where the file system knows locks."""
    for _ in range(_ATTEMPTS):
        made = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            if folder:
                made.mkdir()
            else:
                made.open("xb").close()
            return made, _lock_or_none(made, os.O_RDONLY if folder else os.O_RDWR)
        except (BlockingIOError, FileNotFoundError):  # swept before it was locked
            if not path.parent.is_dir():
                raise
        except KeyboardInterrupt:
            _remove(made)
            raise
    raise FileExistsError(errno.EEXIST, "other processes keep removing temporary files", str(path))


def _lock_or_none(made: Path, flags: int) -> FileLock | None:
    """Lock a file or folder; None if the file system has no locks, and then nothing is swept either."""
    try:
        return lock_path(made, flags)
    except (BlockingIOError, FileNotFoundError):
        raise
    except OSError:
        return None


def sweep(path: Path) -> None:
    """Remove what killed writers of `path` left next to it; files of running writers stay."""
    mark = temporary_names(path.name)
    with suppress(OSError):
        for entry in path.parent.iterdir():
            if mark.fullmatch(entry.name):
                _remove_if_left(entry)


def sweep_all(folder: Path) -> None:
    """Remove what killed writers left of any file in a folder and in its folders."""
    mark = temporary_names("?").pattern.replace(re.escape("?"), ".+")
    with suppress(OSError):
        for entry in [*folder.glob(".*.tmp"), *folder.glob("*/.*.tmp")]:
            if re.fullmatch(mark, entry.name):
                _remove_if_left(entry)


def _remove_if_left(entry: Path) -> None:
    """Remove a temporary file or folder whose writer is gone: its lock is free."""
    whole = entry.is_dir() and not entry.is_symlink()
    try:
        lock = lock_path(entry, os.O_NOFOLLOW | (os.O_RDONLY if whole else os.O_RDWR))
    except OSError:
        return
    try:
        if whole:
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    finally:
        lock.release()


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary name next to `path`; on success it replaces `path`, on failure it is removed.

    `sweep` removes what a killed process leaves.

    Raises
    ------
    EvenhandError
        If `path` is a folder, a device or a pipe, the disk is full, the folder is read-only, or the system
        refuses for another reason.
    """
    try:
        if path.is_dir():
            raise EvenhandError(f"cannot write {path}: it is a folder; name a file")
        if path.exists() and not path.is_file():  # root would put a file in the place of /dev/null
            raise EvenhandError(f"cannot write {path}: it is not a regular file; name another")
        with _made(path.parent), _temporary(path, folder=False) as temporary:
            yield temporary
            with temporary.open("rb+") as stream:
                os.fsync(stream.fileno())
            temporary.replace(path)
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
    """Yield a temporary folder next to `path`; on success it replaces `path`, on failure it is removed.

    Raises
    ------
    EvenhandError
        If `path` is a file or holds anything, the disk is full, or the system refuses for another reason.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100  "." has no name; links keep theirs
    check_new(path, argument=argument)
    try:
        sweep(path)
        with _made(path.parent), _temporary(path, folder=True) as temporary:
            yield temporary
            for file in filter(Path.is_file, temporary.rglob("*")):
                with file.open("rb+") as stream:
                    os.fsync(stream.fileno())
            if path.exists():
                path.rmdir()
            temporary.replace(path)
    except OSError as error:
        raise EvenhandError(f"cannot write {path}: {error.strerror or error}") from error
