"""Which images and tables are in a folder or an archive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from evenhand._errors import EvenhandError
from evenhand.data.archives import is_archive, members
from evenhand.data.file_names import SHEETS, WORKBOOKS, has_image_name, has_table_name, is_litter, suffix
from evenhand.data.files import address, check_utf8, exists, is_dir, is_file, is_remote, names_below
from evenhand.data.sources.advice import advice

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")
"""First bytes of JPEG, PNG, GIF and TIFF files. WebP is recognized by two places of its header."""


def find_images(root: Path) -> list[str]:
    """Return the images below a folder or in an archive, as sorted posix paths relative to it.

    An image is a file with an image's extension, whatever its content is. In a folder on this machine, it is
    also a file with another extension that begins like an image. Hidden files and folders are skipped, and so
    is what operating systems leave behind. Links are followed, but a circle of links only once.

    Raises
    ------
    EvenhandError
        If `root` does not exist, is neither a folder nor an archive, or holds no image, or if a name is not
        UTF-8.
    OSError
        If a folder cannot be listed.
    """
    if is_archive(root):
        found = sorted(filter(has_image_name, members(root)))
    elif is_remote(root) and is_dir(root):
        found = list(filter(has_image_name, names_below(root)))
    elif is_dir(root):
        found = list(_walk(root, PurePosixPath(), frozenset()))
    else:
        raise not_there(root)
    if not found:
        raise no_images(root)
    for name in found:
        if not name.isascii():
            check_utf8(name)
    return found


def walk_images(root: Path) -> Iterator[str]:
    """Yield the paths that `find_images` returns for a folder on this machine, one subfolder at a time.

    The list of a very large folder is never in memory as a whole.

    Raises
    ------
    EvenhandError
        If a name is not UTF-8.
    OSError
        If a folder cannot be listed.
    """
    for name in _walk(root, PurePosixPath(), frozenset()):
        check_utf8(name)
        yield name


def tables_beside(root: Path) -> list[str]:
    """Return the names of the tables in a folder or an archive on this machine, spreadsheets included.

    The metadata tables of ImageFolder are left out, and so are tables in subfolders of a folder.
    """
    if is_remote(root):
        return []
    if is_archive(root):
        names = sorted(members(root))
    elif root.is_dir():
        found = (entry.name for entry in os.scandir(root) if entry.is_file())
        names = sorted(name for name in found if not is_litter(name))
    else:
        return []
    tables = [name for name in names if has_table_name(name) or suffix(name) in (*SHEETS, *WORKBOOKS)]
    return [name for name in tables if not name.lower().startswith("metadata.")]


def instead(root: Path, table: str) -> str:
    """Return what to do about a table that may list the images of a folder or an archive, for an error."""
    if is_archive(root):
        return f"if the table {table} in it lists the images, unpack the archive and give that file"
    if suffix(table) in SHEETS:
        return f"if {table} lists the images, save its sheet as CSV UTF-8 and give that file"
    return f"if the table {table} lists the images, give that file instead of the folder"


def no_images(root: Path) -> EvenhandError:
    """Return the error for a folder or an archive without images."""
    return EvenhandError(f"{root} holds no images; {advice(root)}")


def not_there(root: Path) -> EvenhandError:
    """Return the error for a path that is neither a folder nor an archive."""
    remedy = "give a folder of images or a table that lists them"
    if not exists(root):
        return EvenhandError(f"{address(root)} does not exist; {remedy}")
    what = "not a folder" if is_file(root) else "a pipe or a device, not a folder"
    return EvenhandError(f"{root} is {what}; {remedy}")


def _walk(root: Path, folder: PurePosixPath, above: frozenset[str]) -> Iterator[str]:
    """Yield images in the order of their paths, so a folder is sorted by its name with a slash at the end.

    `above` holds the real paths of the folders above this one. A folder that is among them is a circle of
    links, and is skipped.
    """
    real = os.path.realpath(root / folder)
    if real in above:
        return
    with os.scandir(root / folder) as entries:
        names = sorted(
            f"{entry.name}/" if _is_folder(entry) else entry.name
            for entry in entries
            if not is_litter(entry.name)
        )
    for name in names:
        if name.endswith("/"):
            yield from _walk(root, folder / name, above | {real})
        elif has_image_name(name) or _begins_as_image(root / folder / name):
            yield str(folder / name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself is listed if it has an image's name, like any dangling link
        return False


def _begins_as_image(path: Path) -> bool:
    """Return whether the first bytes of a file are those of an image."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            start = stream.read(12)
    except OSError:
        return False
    return start.startswith(_SIGNATURES) or (start[:4] == b"RIFF" and start[8:] == b"WEBP")
