"""What to do about a source in which no image is found."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from evenhand.data.archives import is_archive
from evenhand.data.file_names import COMPRESSED, has_table_name, suffix
from evenhand.data.files import GIT_LFS, is_remote

_MOST = 10_000
"""Files that are looked at."""


def advice(root: Path) -> str:
    """Return the end of a sentence that says no images were found: what was, and what to give."""
    if is_archive(root) or is_remote(root):
        return "give a folder with at least one image file"
    files = sorted(path for path in islice(root.rglob("*"), _MOST) if path.is_file())
    pointer = next((path for path in files if _is_pointer(path)), None)
    if pointer is not None:
        return f"{pointer.relative_to(root)} is a pointer of Git LFS: run git lfs pull in its repository"
    packed = next((path for path in files if suffix(path.name) in COMPRESSED), None)
    if packed is not None:
        return f"unpack {packed.relative_to(root)}, or make it a .zip or a plain .tar"
    table = next((path for path in files if has_table_name(path.name)), None)
    if table is None:
        return "give a folder with at least one image file"
    return f"if the table {table.relative_to(root)} lists them, give that file instead of the folder"


def _is_pointer(path: Path) -> bool:
    try:
        if path.stat().st_size > 1024:  # a pointer has three lines
            return False
        with path.open("rb") as stream:
            return stream.read(len(GIT_LFS)) == GIT_LFS
    except OSError:
        return False
