"""The folder in an archive that holds all of its images."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from evenhand.data.archives import members
from evenhand.data.file_names import has_image_name


def top_folder(archive: Path, *, but: Collection[str] = ()) -> Path:
    """Return the deepest folder of an archive that all its class or split folders are in.

    Many archives are packed with the folder of the data set around it. A folder without subfolders is a class
    and is not passed, nor is one whose name is in `but`. Files next to the one folder, such as a README, do
    not matter unless they are images or a metadata table.
    """
    names = members(archive)
    place = ""
    while True:
        below = [name.removeprefix(place) for name in names if name.startswith(place)]
        tops = {name.split("/")[0] for name in below if "/" in name}
        top = next(iter(tops), "")
        nested = any(name.count("/") > 1 for name in below)
        tells = any("/" not in name and _tells(name) for name in below)
        if len(tops) != 1 or not nested or tells or top.lower() in but:
            return archive / place
        place = f"{place}{top}/"


def _tells(name: str) -> bool:
    """Return whether a file is an image or a metadata table, so that the folder with it is the data set's."""
    return name.startswith("metadata.") or has_image_name(name)
