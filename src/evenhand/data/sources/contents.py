"""What is in a folder that some tool filled: files that hold images, image files, and all others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from evenhand.data.file_names import ARCHIVES, IMAGE_TABLES, has_image_name, suffix
from evenhand.data.files import names_below

_ASIDE = {"assets", "docs", "figures", "media", "static", "thumbnails"}
"""Folders whose images illustrate a README."""
_FEW = 100
"""Images next to containers that are skipped; where there are more, they are the data."""


@dataclass(frozen=True)
class Contents:
    """The files of a folder, hidden ones aside, each list in the order of the names.

    Attributes
    ----------
    containers : list of str
        Archives and tables.
    images : list of str
        Image files next to them.
    others : list of str
        All other files: text, JSON, markers.
    """

    containers: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def contents(folder: Path) -> Contents | None:
    """Return what a folder holds; None where image files are its data.

    The search ends at the first image that is in a folder of its own: a folder of images may be large.

    Raises
    ------
    OSError
        If a folder cannot be listed.
    """
    found = Contents()
    for name in names_below(folder):
        if has_image_name(name):
            found.images.append(name)
            if len(found.images) > _FEW or not _lies_aside(name):
                return None
        elif _is_container(name):
            found.containers.append(name)
        else:
            found.others.append(name)
    return found


def _is_container(name: str) -> bool:
    last = PurePosixPath(name).name
    # Of a map or a filter of the Hugging Face datasets library, for its own use.
    if last.startswith("cache-") and last.endswith(".arrow"):
        return False
    return suffix(last) in (*ARCHIVES, *IMAGE_TABLES)


def _lies_aside(name: str) -> bool:
    top, slash, _ = name.partition("/")
    return not slash or top.lower() in _ASIDE
