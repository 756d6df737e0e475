"""The content of a table of text, which pandas and Spark often compress."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evenhand.data.archives import LARGEST
from evenhand.data.file_names import suffix
from evenhand.data.places import open_file

_OPEN: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def unpacked(path: Path) -> bytes:
    """Return the content of a file, unpacked if its suffix is that of gzip, bzip2 or xz.

    Raises
    ------
    OSError
        If it cannot be opened.
    ValueError
        If its compression is damaged, or more than `LARGEST` bytes are in it.
    """
    with open_file(path) as stream:
        opener = _OPEN.get(suffix(path.name))
        if opener is None:
            return stream.read()
        try:
            content: bytes = opener(stream).read(LARGEST + 1)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise ValueError(f"it is damaged ({error}); write it again") from error
    if len(content) > LARGEST:
        raise ValueError(f"it has more than {LARGEST >> 20} MiB when unpacked; unpack it")
    return content
