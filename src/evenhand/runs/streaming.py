"""Whether a fit loads its features into memory or reads them from the store in blocks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from evenhand._errors import EvenhandError

if TYPE_CHECKING:  # an option that cannot be had is refused before torch is imported
    from evenhand.methods.base import Method

LIMIT = 2 * 2**30
"""Size of the float32 training features, in bytes, above which a method that can stream does so."""

STREAMED = "features were read from the store in shuffled blocks, not in one global shuffle"
STREAMING = "a method that streams, such as cfr or erm"


def streams(size: int, method: Method, name: str, wanted: bool | None) -> bool:
    """Return whether a method reads its training features from the store in blocks.

    Parameters
    ----------
    size : int
        Bytes of the training features in float32.
    method, name : Method, str
        The method, and its registry name for messages.
    wanted : bool or None
        What the user asked for; None decides by the size.

    Raises
    ------
    EvenhandError
        If the method is asked to stream and cannot, or the features do not fit into this machine's memory.
    """
    if wanted is None:
        wanted = method.streams and size > LIMIT
    check_can_stream(name, method.streams, wanted)
    if not wanted and size > _memory():
        remedy = "leave out `stream=False`" if method.streams else f"choose {STREAMING}"
        raise EvenhandError(
            f"{name} takes {_gib(size)} of features into memory, but this machine has {_gib(_memory())}; "
            f"{remedy}"
        )
    return wanted


def check_can_stream(name: str, can: bool, wanted: bool | None) -> None:
    """Refuse to stream if the method cannot.

    Raises
    ------
    EvenhandError
        If streaming is wanted and the method cannot.
    """
    if wanted and not can:
        raise EvenhandError(
            f"stream: {name} takes all features into memory at once; leave it out, or choose {STREAMING}"
        )


def _memory() -> int:
    """Return the bytes of memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _gib(size: int) -> str:
    return f"{size / 2**30:.3g} GiB"
