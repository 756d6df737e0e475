"""Whether a fit takes its features into memory or reads them where they lie."""

from __future__ import annotations

import os

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints
from evenhand.data.table import FeatureTable, StoredRows
from evenhand.methods.base import Method

LIMIT = 2 * 2**30
"""Bytes of float32 training features past which a method that can stream does."""

STREAMED = "features were read from the store in shuffled blocks, not shuffled all together"
STREAMING = "a method that streams, such as cfr or erm"


def streams(table: FeatureTable, rows: Ints, method: type[Method], name: str, wanted: bool | None) -> bool:
    """Tell whether `method` is to read the features of the training rows from the store.

    Parameters
    ----------
    table, rows : FeatureTable, int64 [n]
        What there is to train on.
    method, name : type of Method, str
        Who trains.
    wanted : bool or None
        What the user asked for; None leaves it to the size.

    Raises
    ------
    EvenhandError
        If the method cannot stream and is asked to, or the features do not fit this machine's memory.
    """
    size = 4 * len(rows) * table.width
    if wanted is None:
        wanted = method.streams and size > LIMIT
    if wanted and not method.streams:
        raise EvenhandError(
            f"stream: {name} takes all features into memory at once; leave it out, or choose {STREAMING}"
        )
    if not wanted and size > _memory():
        remedy = "leave out `stream=False`" if method.streams else f"choose {STREAMING}"
        raise EvenhandError(
            f"{name} takes {_gib(size)} of features into memory, but this machine has {_gib(_memory())}; "
            f"{remedy}"
        )
    return wanted


def features(table: FeatureTable, rows: Ints, *, stream: bool) -> Floats | StoredRows:
    """Return the features of `rows`, read when they are asked for, or copied now."""
    return table.stored(rows) if stream else table.features(rows)


def _memory() -> int:
    """Return the bytes of memory of this machine."""
    if not hasattr(os, "sysconf"):  # Windows does not tell
        return 2**63
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _gib(size: int) -> str:
    return f"{size / 2**30:.3g} GiB"
