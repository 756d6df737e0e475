"""The layout of a comparison's folder, and whether a path may hold one; imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._outputs import check_writable

JOBS = "units"
"""Subfolder of the finished jobs, which makes a folder a comparison; the name is older than `Job`."""


def check_free(out: Path) -> None:
    """Check that a comparison can be written to a path.

    Raises
    ------
    EvenhandError
        If the path holds anything but a comparison, or cannot be written.
    """
    try:
        free = not out.exists() or (out.is_dir() and ((out / JOBS).is_dir() or not any(out.iterdir())))
    except OSError as error:
        raise EvenhandError(f"out: {out} cannot be used as a folder: {error.strerror}") from error
    if not free:
        raise EvenhandError(f"out: {out} exists and holds no comparison; name a new one")
    check_writable(out)
