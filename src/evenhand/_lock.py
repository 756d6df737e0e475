"""Locks that die with their process.

They are on open files. Process numbers would not do: two containers count their own from 1.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from contextlib import suppress
from pathlib import Path


class FileLock:
    """An exclusive lock on an open file or folder, until `release` or the end of the process.

    Forked children (data-loader workers) close their copy of the handle at once: an orphan that outlives a
    killed parent would otherwise keep the lock.

    Parameters
    ----------
    handle : int
        Of the open file. It is the lock's from now on.

    Raises
    ------
    BlockingIOError
        If another process holds the lock.
    OSError
        If the file system knows no locks.
    """

    def __init__(self, handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._handle = handle
        _HELD.add(self)

    def release(self) -> None:
        """Give the lock up."""
        _HELD.discard(self)
        # Closing alone would leave it to a worker that has just been forked.
        with suppress(OSError):
            fcntl.flock(self._handle, fcntl.LOCK_UN)
        os.close(self._handle)

    def forget(self) -> None:
        """Close a forked child's copy, which does not unlock: the lock belongs to the parent's open file."""
        with suppress(OSError):
            os.close(self._handle)


def lock_path(path: Path, flags: int) -> FileLock:
    """Open a file or folder and lock it.

    Raises
    ------
    BlockingIOError
        If another process holds the lock, or has just removed or replaced the file.
    OSError
        If it cannot be opened, or the file system knows no locks.
    """
    handle = os.open(path, flags | os.O_CLOEXEC, 0o666)
    try:
        lock = FileLock(handle)
    except OSError:
        os.close(handle)
        raise
    try:
        named = path.lstat()
    except FileNotFoundError:
        named = None
    if named is None or not os.path.samestat(os.fstat(handle), named):
        lock.release()
        raise BlockingIOError
    return lock


_HELD: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _close_copies() -> None:
    for lock in list(_HELD):
        lock.forget()
    _HELD.clear()


os.register_at_fork(after_in_child=_close_copies)
