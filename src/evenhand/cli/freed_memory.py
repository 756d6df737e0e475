"""Memory that a batch frees stays with the process, for the next batch."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Numbers of glibc's `mallopt`."""


def keep_freed_memory() -> None:
    """Have glibc neither map large blocks one by one nor give freed memory back; others stay as they are.

    It would return the activations of every layer to the system, which clears the pages before it hands them
    out again: a tenth of the processor time of `embed`. The most memory that the process holds is the same.
    """
    with suppress(OSError, AttributeError, TypeError):  # no such function: not glibc
        adjust = ctypes.CDLL(None).mallopt
        adjust(_MMAP_MAX, 0)
        adjust(_TRIM_THRESHOLD, -1)
