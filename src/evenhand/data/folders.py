"""Which pictures lie in a folder, and what their folders say about them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from evenhand._errors import EvenhandError
from evenhand.data.advice import advice
from evenhand.data.archives import is_archive, members
from evenhand.data.files import address, is_dir, is_file, is_remote, names_in
from evenhand.data.splits import SPLIT_NAMES

# HEIC is not readable without a plug-in: listed here, it is reported as skipped rather than overlooked.
_EXTENSIONS = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".avif", ".heic", ".heif", ".tga", ".ico"),
    *(".sgi", ".pcx", ".qoi", ".jxl", ".hif"),
}
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")


def find_images(root: Path) -> list[str]:
    """Return the pictures under `root`, a folder or an archive, as sorted posix paths relative to it.

    A picture is a file with a picture's extension, whatever is in it, or one with another extension whose
    first bytes are those of a picture. Hidden files and folders are passed over; links are followed, in a
    circle only once.

    Raises
    ------
    EvenhandError
        If `root` is missing, is no folder or archive, or holds no picture, or a name is not UTF-8.
    OSError
        If a folder cannot be listed.
    """
    if is_archive(root):
        found = sorted(name for name in members(root) if has_picture_name(name))
    elif is_remote(root) and is_dir(root):
        found = [name for name in names_in(root, nested=True) if has_picture_name(name) and not _hidden(name)]
    elif not (is_file(root) or is_dir(root)):
        raise EvenhandError(
            f"{address(root)} does not exist; give a folder of images or a table that lists them"
        )
    elif is_dir(root):
        found = list(_walk(root, PurePosixPath(), frozenset()))
    else:
        raise EvenhandError(f"{root} is no folder; give a folder of images or a table that lists them")
    if not found:
        raise no_images(root)
    for name in found:
        _check_utf8(name)
    return found


def walk_images(root: Path) -> Iterator[str]:
    """Yield what `find_images` returns for a folder of this machine, of which it holds one folder at a time.

    Raises
    ------
    EvenhandError
        If a name is not UTF-8.
    OSError
        If a folder cannot be listed.
    """
    for name in _walk(root, PurePosixPath(), frozenset()):
        _check_utf8(name)
        yield name


def no_images(root: Path) -> EvenhandError:
    """Return what is raised where no picture lies under `root`."""
    return EvenhandError(f"{root} holds no images; {advice(root)}")


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _check_utf8(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise EvenhandError(f"the file name {os.fsencode(name)!r} is not UTF-8; rename the file") from error


def _walk(root: Path, folder: PurePosixPath, above: frozenset[str]) -> Iterator[str]:
    """Yield pictures in the order of their paths: a folder stands where its name with a slash does."""
    real = os.path.realpath(root / folder)
    if real in above:
        return
    with os.scandir(root / folder) as entries:
        names = sorted(
            f"{entry.name}/" if _is_folder(entry) else entry.name
            for entry in entries
            if not entry.name.startswith((".", "__MACOSX"))
        )
    for name in names:
        if name.endswith("/"):
            yield from _walk(root, folder / name, above | {real})
        elif _is_picture(root / folder / name):
            yield str(folder / name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: like a dangling one, it is listed where its name is a picture's
        return False


def has_picture_name(name: str) -> bool:
    """Tell whether a file's extension is a picture's."""
    return PurePosixPath(name).suffix.lower() in _EXTENSIONS


def _is_picture(path: Path) -> bool:
    if has_picture_name(path.name):
        return True
    if not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            start = stream.read(12)
    except OSError:
        return False
    return start.startswith(_SIGNATURES) or (start[:4] == b"RIFF" and start[8:] == b"WEBP")


def split_of(names: Sequence[str]) -> list[str] | None:
    """Return the split that the first folder of each relative path names; None if folders name no splits.

    A path without a folder gets the empty string. A tree of classes that has one called `train` beside
    `bus` is a tree of classes.

    Raises
    ------
    EvenhandError
        If two or more split folders stand beside other folders: what those are is not to be guessed.
    """
    tops = {PurePosixPath(name).parts[0] for name in names if "/" in name}
    splits = {top for top in tops if top.lower() in SPLIT_NAMES}
    if splits != tops:
        if len({SPLIT_NAMES[top.lower()] for top in splits}) >= 2:
            raise EvenhandError(
                f"the split folders {', '.join(sorted(splits))} stand beside other folders "
                f"({', '.join(sorted(tops - splits)[:5])}); move one kind elsewhere"
            )
        return None
    if not splits:
        return None
    return [SPLIT_NAMES[PurePosixPath(name).parts[0].lower()] if "/" in name else "" for name in names]


def class_of(name: str, *, in_split: bool) -> str:
    """Return the class folder of a relative path; the empty string if the file lies in none."""
    folders = PurePosixPath(name).parts[1 if in_split else 0 : -1]
    return folders[0] if folders else ""
