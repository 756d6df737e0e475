"""One writer of a folder at a time."""

from __future__ import annotations

import os
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._lock import lock_path

NAME = ".lock"


class FolderLock:
    """Hold an exclusive lock on `folder/.lock` until `release` or the end of the process.

    Raises
    ------
    EvenhandError
        If another process holds it, or the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._lock = lock_path(folder / NAME, os.O_RDWR | os.O_CREAT)
        except BlockingIOError as error:
            raise EvenhandError(
                f"{folder} is being written by another process; wait for it to end"
            ) from error
        except OSError as error:
            raise EvenhandError(f"cannot lock {folder}: {error.strerror or error}") from error

    def release(self) -> None:
        """Give the lock up."""
        self._lock.release()
