"""What to do about a source in which no image is found."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from evenhand.data.archives import is_archive, members
from evenhand.data.file_names import (
    ARCHIVES,
    COMPRESSED,
    foreign,
    has_table_name,
    suffix,
    table_suffix,
)
from evenhand.data.files import GIT_LFS, is_remote

REWRITE = "write the images to files in class folders, or with their labels to Parquet"
_NOTHING = "give a folder with at least one image file"
_MOST = 10_000
"""Largest number of files that are looked at."""


def advice(root: Path) -> str:
    """Return the end of the error that no images were found: what was found instead, and what to do."""
    if is_remote(root):
        return _NOTHING
    if is_archive(root):
        return _of_archive(members(root))
    files = sorted(path for path in islice(root.rglob("*"), _MOST) if path.is_file())
    pointer = next((path for path in files if _is_pointer(path)), None)
    if pointer is not None:
        return f"{pointer.relative_to(root)} is a pointer of Git LFS: run git lfs pull in its repository"
    odd = next((path for path in files if foreign(path.name)), None)
    if odd is not None:
        return f"{odd.relative_to(root)} is {foreign(odd.name)}, which is not read: {REWRITE}"
    packed = next((path for path in files if table_suffix(path.name) in COMPRESSED), None)
    if packed is not None:
        return f"unpack {packed.relative_to(root)}, or make it a .zip or a plain .tar"
    table = next((path for path in files if has_table_name(path.name)), None)
    if table is None:
        return _NOTHING
    return f"if the table {table.relative_to(root)} lists them, give that file instead of the folder"


def _of_archive(names: Sequence[str]) -> str:
    inner = next((name for name in names if suffix(name) in (*ARCHIVES, *COMPRESSED)), None)
    table = next((name for name in names if has_table_name(name)), None)
    if inner is not None:
        return f"it holds archives, as {inner}, which are not read inside another: unpack it"
    return _NOTHING if table is None else f"if {table} in it lists them, unpack it and give that file"


def _is_pointer(path: Path) -> bool:
    """Return whether a file is a pointer of Git LFS, which stands for a file that was not downloaded."""
    try:
        if path.stat().st_size > 1024:  # a pointer has only three lines
            return False
        with path.open("rb") as stream:
            return stream.read(len(GIT_LFS)) == GIT_LFS
    except OSError:
        return False
