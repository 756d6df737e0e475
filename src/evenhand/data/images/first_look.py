"""The first images are decoded for a moment before a model is loaded: what is broken is said at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from evenhand._errors import EvenhandError
from evenhand.data.files import is_remote
from evenhand.data.images.decode import UnreadableImage, decode, none_readable, readable_formats

SECONDS = 0.25
"""How long the first look takes at most, but for its last image."""


def broken(path: str, reason: str) -> EvenhandError:
    """Return what is raised at the first image that cannot be read, where all must be."""
    return EvenhandError(f"{path}: {reason}; `strict=True` stops at the first such image")


def look_at_first(paths: Sequence[str], *, strict: bool, seconds: float = SECONDS) -> None:
    """Refuse images of which the first looked at are broken, as embedding them would.

    Parameters
    ----------
    paths : sequence of str
        Files, archives' members or addresses; nothing is asked of a server.
    strict : bool
        Whether the first broken image is an error; otherwise it is one if none of all can be read.
    seconds : float
        After these the rest is left to the embedding.

    Raises
    ------
    EvenhandError
        If so.
    """
    readable_formats()  # once, and not in the time
    end, first = monotonic() + seconds, None
    for path in paths:
        if is_remote(Path(path)) or monotonic() > end:
            return
        try:
            decode(Path(path))
        except UnreadableImage as error:
            if strict:
                raise broken(path, error.reason) from error
            first = first or (path, error.reason)
        else:
            if not strict:
                return
    if first is not None:
        raise none_readable(len(paths), *first)
