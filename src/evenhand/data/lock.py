"""One writer at a time: a lock that dies with the process."""

from __future__ import annotations

import fcntl
import os
import weakref
from contextlib import suppress
from pathlib import Path

from evenhand._errors import EvenhandError

NAME = ".lock"


class FolderLock:
    """Hold an exclusive lock on `folder/.lock` until `release` or the end of the process.

    Forked children (data-loader workers) close their copy of the handle at once: an orphan that outlives a
    killed parent would otherwise keep the folder locked.

    Raises
    ------
    EvenhandError
        If another process holds it, or the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise EvenhandError(f"cannot lock {folder}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(self._handle), (folder / NAME).stat()):
                raise BlockingIOError  # its last holder removed the file, and another has made a new one
        except OSError as error:
            os.close(self._handle)
            if isinstance(error, BlockingIOError):
                raise EvenhandError(
                    f"{folder} is being written by another process; wait for it to end"
                ) from error
            raise EvenhandError(f"cannot lock {folder}: {error.strerror or error}") from error
        _HELD.add(self)

    def release(self) -> None:
        """Give the lock up."""
        _HELD.discard(self)
        # Closing alone would leave it to a worker that has just been forked.
        fcntl.flock(self._handle, fcntl.LOCK_UN)
        os.close(self._handle)

    def _forget(self) -> None:
        # Closing a copy does not unlock: the lock belongs to the parent's open file.
        with suppress(OSError):
            os.close(self._handle)


_HELD: weakref.WeakSet[FolderLock] = weakref.WeakSet()


def _close_copies() -> None:
    for lock in list(_HELD):
        lock._forget()
    _HELD.clear()


os.register_at_fork(after_in_child=_close_copies)
