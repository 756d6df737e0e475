"""Which paths a command reads, by its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

OUT = "out"
"""The parameter that names what a command writes; every other path is read."""
_FILES = ("pretrained", "class_names", "templates")
"""Texts that may name a file."""
_FOLDERS = ("local-dir:", "hf:")
"""How a model begins that may be a folder."""
_PLACES = ("root",)
"""Folders that are looked into, not read as a whole: an output may be there."""


def inputs(params: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the paths that a command reads, by the values of its parameters."""
    for name, value in params.items():
        if name in (OUT, *_PLACES):
            continue
        for given in value if isinstance(value, list | tuple) else [value]:
            if isinstance(given, Path):
                yield given
            elif name in _FILES and given is not None and is_file(given):
                yield Path(given)
            elif name == "model" and (folder := _folder_in(given)):
                yield Path(folder)


def _folder_in(model: str | None) -> str:
    return model.partition(":")[2].strip() if model and model.startswith(_FOLDERS) else ""


def is_pipe(text: str) -> bool:
    """Return whether a text names a pipe or a device."""
    try:
        return Path(text).is_fifo() or Path(text).is_char_device()
    except (OSError, ValueError):
        return False


def is_file(text: str) -> bool:
    """Return whether a text names a file."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # a list of names may be too long for a file name
        return False
