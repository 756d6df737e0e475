"""Whether a folder may hold a comparison: known without anything heavy."""

from __future__ import annotations

from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._outputs import check_writable

UNITS = "units"
"""The folder that makes its parent a comparison's."""


def check_free(out: Path) -> None:
    """Refuse a path that holds anything but a comparison, or cannot be written.

    Raises
    ------
    EvenhandError
        If it does, or the system would refuse.
    """
    try:
        ours = not out.exists() or (out.is_dir() and ((out / UNITS).is_dir() or not any(out.iterdir())))
    except OSError as error:
        raise EvenhandError(f"out: {out} cannot be used as a folder: {error.strerror}") from error
    if not ours:
        raise EvenhandError(f"out: {out} exists and holds no comparison; name a new one")
    check_writable(out)
