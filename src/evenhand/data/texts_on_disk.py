"""Texts in unnamed files: a list of any length takes no memory."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

_TWO = struct.Struct("<qq")


class TextsOnDisk(Sequence[str]):
    """A sequence of texts that is read from the disk, by any thread or forked process.

    The files have no name, so that the system takes them back when the process ends, however it ends.

    Parameters
    ----------
    texts : iterable of str
        Written as they come.
    folder : Path
        Where there is room for them.

    Raises
    ------
    OSError
        If they cannot be written.
    """

    def __init__(self, texts: Iterable[str], folder: Path) -> None:
        self._content, self._ends = _unnamed(folder), _unnamed(folder)
        end = self._length = 0
        self._ends.write(end.to_bytes(8, "little"))
        for text in texts:
            end += self._content.write(text.encode())
            self._ends.write(end.to_bytes(8, "little"))
            self._length += 1
        for file in (self._content, self._ends):
            file.flush()

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: Any) -> Any:
        if not 0 <= position < self._length:
            raise IndexError(f"position {position} of {self._length} texts")
        start, end = _TWO.unpack(os.pread(self._ends.fileno(), _TWO.size, 8 * position))
        return os.pread(self._content.fileno(), end - start, start).decode()

    def __reduce__(self) -> tuple[type[list[str]], tuple[list[str]]]:
        # A process that is no fork of this one has not these files: it gets the texts.
        return list, (list(self),)


def _unnamed(folder: Path) -> BinaryIO:
    return cast("BinaryIO", TemporaryFile(dir=folder))
