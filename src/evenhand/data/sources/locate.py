"""Where the images of a table are, if its paths do not match the files on this disk."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from evenhand._errors import EvenhandError
from evenhand.data.archives import is_archive
from evenhand.data.file_names import has_image_name, is_litter
from evenhand.data.files import is_remote
from evenhand.data.sources.find_images import find_images
from evenhand.data.split_names import is_filler

_NEARBY = 200
"""Largest number of entries of a folder that are tried as the start of paths."""


@dataclass(frozen=True)
class Located:
    """The paths of images as they are on the disk, relative to the root.

    Attributes
    ----------
    names : list of N str
        The paths. One that was not found stays as the table writes it.
    missing : int
        Number of paths that were not found.
    notes : tuple of str, default=()
        A note on paths that are read in another way than the table writes them.
    """

    names: list[str]
    missing: int
    notes: tuple[str, ...] = ()


def locate(root: Path, names: Sequence[str]) -> Located:
    """Return the paths of the images that a table names, as they are on the disk.

    If a path does not exist, obvious variants of it are tried: slashes for backslashes, another case, another
    extension or none, and a space for `%20`. If none of the paths exists, leading folders are also left out
    or added, as for paths of another machine. What finds the first missing image is tried on all others. No
    image is given to two rows.

    Parameters
    ----------
    root : Path
        The folder that the paths are relative to.
    names : sequence of N str
        Paths as the table writes them.

    Raises
    ------
    EvenhandError
        If the first missing path is a web address, or the image itself as text.
    """
    if is_archive(root) or is_remote(root):
        return Located(list(names), 0)
    here = {name for name in set(names) if _is_there(root, name)}
    gone = [name for name in names if name not in here]
    if not gone:
        return Located(list(names), 0)
    _check_web(gone[0])
    _check_text(gone[0])
    found = _unique(_found(_Disk(root), gone, moved=not here), taken=here)
    if not found:
        return Located(list(names), len(gone))
    located = [found.get(name, name) for name in names]
    first = next(name for name in gone if name in found)
    note = (
        f"{len(found)} of {len(names)} paths do not exist as they are written, and are read with "
        f"{_change(first, found[first])}, for example {first!r} as {found[first]!r}"
    )
    return Located(located, len(gone) - len(found), (note,))


def _is_there(root: Path, name: str) -> bool:
    """Return whether a file exists. One on a server is taken to exist."""
    path = Path(name)
    if path.parts[:1] == ("file:",):
        return os.path.lexists(Path("/", *path.parts[1:]))
    return is_remote(path) or os.path.lexists(root / name)


def none_there(root: Path, names: Sequence[str], source: Path) -> EvenhandError:
    """Return the error for a table none of whose images exists."""
    return EvenhandError(
        f"none of the {len(names)} images of {source} exists; the first is {names[0]!r}, looked for at "
        f"{os.path.normpath(root / names[0])}; give the folder that the paths are relative to as `root`"
    )


def _check_web(name: str) -> None:
    """Refuse a web address."""
    scheme = re.match(r"(https?|ftp|hdfs|abfss?|az|wasbs?)[:]/", name)
    if scheme:
        raise EvenhandError(
            f"the image {name!r} is a web address, which evenhand does not download: download the images, "
            "for example with img2dataset, and name the files; only s3:// and gs:// addresses are read"
        )


def _check_text(name: str) -> None:
    """Refuse an image that is written as text, in base64."""
    if re.match(r"data:image/|iVBORw0KGgo|/9j/\w{4}|R0lGOD|UklGR", name):
        raise EvenhandError(
            f"the image {name[:20] + '…'!r} is text that stands for bytes (base64): "
            "write the images to files, or their bytes to a column of Parquet"
        )


def _parts(name: str) -> list[str]:
    """Return the folders and the file of a path that any operating system may have written."""
    plain = unquote(name.removeprefix("file://")).strip("'\"").replace("\\", "/")
    before, mark, _ = plain.partition("?")
    plain = before if mark and has_image_name(before) else plain
    return [part for part in re.sub(r"^/?[A-Za-z]:", "", plain).split("/") if part not in ("", ".")]


def _found(disk: _Disk, gone: Sequence[str], *, moved: bool) -> dict[str, str]:
    """Return the files of missing images. Other folders are only searched if no image is in its own."""
    near = _below(disk, gone, disk.root, 0)
    if near or not moved:
        return near
    return _along_a_rule(disk, gone) or _by_name(disk.root, gone)


def _along_a_rule(disk: _Disk, gone: Sequence[str]) -> dict[str, str]:
    """Find images below one folder, without some leading folders. What finds the first one is the rule."""
    parts = _parts(gone[0])
    for dropped in range(len(parts)):
        for base in disk.bases(alone=dropped == len(parts) - 1):
            if disk.find(base, parts[dropped:]):
                found = _below(disk, gone, base, dropped)
                if 2 * len(found) > len(gone):
                    return found
    return {}


def _below(disk: _Disk, gone: Sequence[str], base: Path, dropped: int) -> dict[str, str]:
    """Return the images that are below `base`, without the first `dropped` folders of their paths."""
    found = {}
    for name in gone:
        place = disk.find(base, _parts(name)[dropped:])
        if place:
            found[name] = Path(os.path.relpath(place, disk.root)).as_posix()
    return found


def _by_name(root: Path, gone: Sequence[str]) -> dict[str, str]:
    """Find images anywhere below the root by their file names, if a name is there only once."""
    try:
        below = find_images(root)
    except (EvenhandError, OSError):
        return {}
    places: defaultdict[str, set[str]] = defaultdict(set)
    for place in below:
        last = place.rpartition("/")[2]
        places[_key(last)].add(place)
        places[_stem(last)].add(place)
    found = {}
    for name in gone:
        last = (_parts(name) or [""])[-1]
        same = places.get(_key(last)) or places.get(_stem(last)) or set()
        if len(same) == 1:
            found[name] = next(iter(same))
    return found if 2 * len(found) > len(gone) else {}


def _unique(found: dict[str, str], *, taken: set[str]) -> dict[str, str]:
    """Return what was found, without files that more than one row would get."""
    counts = Counter(found.values())
    return {name: place for name, place in found.items() if counts[place] == 1 and place not in taken}


class _Disk:
    """Finds files in any case and with any extension of an image; each folder is listed only once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._names: dict[Path, dict[str, list[str]]] = {}
        self._stems: dict[Path, dict[str, list[str]]] = {}

    def bases(self, *, alone: bool) -> list[Path]:
        """Return the folders that a path may start from; `alone` if it is only a file name.

        They are the root and its parent, and the folders in each of them.
        """
        above = self.root.parent
        near = [self.root, *self._folders(self.root), above]
        # A file name alone says too little to search every folder next to that of the table.
        beside = [path for path in self._folders(above) if not alone or is_filler(path.name)]
        return list(dict.fromkeys([*near, *beside]))

    def find(self, base: Path, parts: Sequence[str]) -> Path | None:
        """Return the file with this path below `base`; None if there is none, or several could be meant."""
        place = base
        for number, part in enumerate(parts):
            exact = place / part
            if part != ".." and not os.path.lexists(exact):
                near = self._near(place, part, last=number == len(parts) - 1)
                if near is None:
                    return None
                exact = place / near
            place = exact
        return place if parts and place.is_file() else None

    def _near(self, folder: Path, name: str, *, last: bool) -> str | None:
        """Return the only entry with this name in another case, or if `last`, with another extension."""
        same = self._listed(folder).get(_key(name), [])
        if not same and last:
            same = self._stems[folder].get(_stem(name), [])
        return same[0] if len(same) == 1 else None

    def _listed(self, folder: Path) -> dict[str, list[str]]:
        """Return the entries of a folder by their names in lower case and in one form of Unicode."""
        if folder not in self._names:
            names = self._names[folder] = {}
            stems = self._stems[folder] = {}
            with suppress(OSError), os.scandir(folder) as entries:
                for name in sorted(entry.name for entry in entries if not is_litter(entry.name)):
                    names.setdefault(_key(name), []).append(name)
                    if has_image_name(name):
                        stems.setdefault(_stem(name), []).append(name)
        return self._names[folder]

    def _folders(self, folder: Path) -> list[Path]:
        names = [name for same in self._listed(folder).values() for name in same if not has_image_name(name)]
        return [folder / name for name in names[:_NEARBY] if (folder / name).is_dir()]


def _key(name: str) -> str:
    """Return a name without its case, in one form of Unicode."""
    return unicodedata.normalize("NFC", name).casefold()


def _stem(name: str) -> str:
    """Return the key of a name, without the extension of an image."""
    return _key(os.path.splitext(name)[0] if has_image_name(name) else name)  # noqa: PTH122


def _change(written: str, read: str) -> str:
    """Return how the path that is read differs from the one that is written."""
    parts, place = _parts(written), read.split("/")
    changes = []
    if "\\" in written:
        changes.append("slashes for backslashes")
    if parts[-1] != place[-1]:
        same = _key(parts[-1]) == _key(place[-1])
        changes.append("another case" if same else "another extension")
    if [_key(part) for part in parts[:-1]] != [_key(part) for part in place[:-1]]:
        changes.append("another folder")
    return " and ".join(changes) or "the nearest name"
