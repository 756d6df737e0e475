"""A folder for a cluster of this machine, with a path short enough for sockets; it is removed at the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evenhand._errors import EvenhandError

SOCKET = "/ray-12345678/session_2026-01-31_12-00-00_000000_1234567/sockets/plasma_store"
"""The longest name that Ray gives a socket under a temporary folder."""
LONGEST = 103 - len(SOCKET)
"""Bytes of a temporary folder's path: the systems allow a socket 103 to 107."""


@contextmanager
def short_folder() -> Iterator[str]:
    """Yield a new folder in RAY_TMPDIR, TMPDIR, /tmp or /var/tmp: the first that can hold Ray's sockets.

    Ray's own choice, `ray` in one of them, stays for good, fails where TMPDIR has a long path, and belongs
    to whoever used Ray first on this machine.

    Raises
    ------
    EvenhandError
        If none of them can be written and has a short path.
    """
    wanted = [os.environ.get("RAY_TMPDIR", ""), tempfile.gettempdir(), "/tmp", "/var/tmp"]
    fitting = [parent for parent in wanted if parent and _fits(Path(parent).absolute())]
    if not fitting:
        raise EvenhandError(
            f"{tempfile.gettempdir()} cannot be Ray's temporary folder, which must be writable and at most "
            f"{LONGEST} bytes long; set RAY_TMPDIR to such a folder"
        )
    folder = tempfile.mkdtemp(prefix="ray-", dir=Path(fitting[0]).absolute())
    try:
        yield folder
    finally:
        # The last log may still be written.
        shutil.rmtree(folder, ignore_errors=True)


def _fits(parent: Path) -> bool:
    return len(os.fsencode(parent)) <= LONGEST and parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)
