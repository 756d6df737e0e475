"""One writer at a time: a lock that dies with the process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from evenhand._errors import EvenhandError


class FolderLock:
    """Hold an exclusive lock on `folder/.lock` until `release` or the end of the process.

    Raises
    ------
    EvenhandError
        If another process holds it, or the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            # Not inheritable past exec; forked data-loader workers are ended with their parent.
            self._handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._handle)
            raise EvenhandError(
                f"{folder} is being written by another process; wait for it to end"
            ) from error
        except OSError as error:
            raise EvenhandError(f"cannot lock {folder}: {error.strerror or error}") from error

    def release(self) -> None:
        """Give the lock up."""
        os.close(self._handle)
