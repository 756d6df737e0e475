"""What lies in a folder that some tool filled: containers of pictures, and what lies beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from evenhand.data.archives import SUFFIXES as ARCHIVES
from evenhand.data.files import is_remote, names_in
from evenhand.data.litter import is_litter
from evenhand.data.parquet_cells import SUFFIXES as TABLES
from evenhand.data.sources.find_images import has_picture_name

_ASIDE = {"assets", "docs", "figures", "media", "static", "thumbnails"}
"""Folders whose pictures illustrate a README."""
_FEW = 100
"""Pictures beside containers that are passed over; where there are more, they are the data."""


@dataclass(frozen=True)
class Inventory:
    """The files of a folder, hidden ones aside, each list in the order of the names.

    Attributes
    ----------
    containers : list of Path
        Archives and tables.
    pictures : list of str
        Picture files beside them.
    others : list of str
        All other files: text, JSON, markers.
    """

    containers: list[Path]
    pictures: list[str]
    others: list[str]


def inventory(folder: Path) -> Inventory | None:
    """Return what a folder holds; None where it holds no container, or picture files are its data.

    The search ends at the first picture that lies in a folder of its own: a folder of pictures may be large.

    Raises
    ------
    OSError
        If a folder cannot be listed.
    """
    found = Inventory([], [], [])
    for name in _names(folder):
        if has_picture_name(name):
            found.pictures.append(name)
            if len(found.pictures) > _FEW or not _lies_aside(name):
                return None
        elif _is_container(name):
            found.containers.append(folder / name)
        else:
            found.others.append(name)
    return found if found.containers else None


def _is_container(name: str) -> bool:
    last = PurePosixPath(name)
    # Of a map or a filter of the Hugging Face datasets library, for its own use.
    if last.name.startswith("cache-") and last.suffix == ".arrow":
        return False
    return last.suffix.lower() in (*ARCHIVES, *TABLES)


def _lies_aside(name: str) -> bool:
    top, slash, _ = name.partition("/")
    return not slash or top.lower() in _ASIDE


def _names(folder: Path) -> Iterator[str]:
    if is_remote(folder):
        yield from (name for name in names_in(folder, nested=True) if not is_litter(name))
        return
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not is_litter(name))
        below = Path(place).relative_to(folder)
        yield from ((below / name).as_posix() for name in sorted(files) if not is_litter(name))


def _raise(error: OSError) -> None:
    raise error
