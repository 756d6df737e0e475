"""The folder that an archive was packed with."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from evenhand.data.archives import members
from evenhand.data.file_names import has_image_name


def top_folder(archive: Path, *, but: Collection[str] = ()) -> Path:
    """Return the folder that all folders of an archive are in, as of one packed with its folder.

    A folder named in `but` says something of its own, and one without folders in it is a class. Files next to
    the one folder, a README or a list, are skipped, unless they are images or a metadata table.
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
    return name.startswith("metadata.") or has_image_name(name)
