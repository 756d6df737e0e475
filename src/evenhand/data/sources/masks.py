"""Segmentation masks among the images of a folder, which would be read as images of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from evenhand._counts import number_of

_ENDING = re.compile(r"[-_. ](masks?|seg|segmentation|gt|groundtruth)([-_]\d+)?$", re.IGNORECASE)
_FOLDERS = frozenset({"mask", "masks", "segmentation", "segmentationclass", "segmentationobject"})


def masks_note(names: Sequence[str]) -> str | None:
    """Return a note on images that seem to be masks of others, by their names or folders; else None.

    >>> masks_note(["cat/1.png", "cat/1_mask.png", "dog/2.png"])
    '1 image seems to be a mask of another, such as cat/1_mask.png; if so, take it out of the folder'
    """
    places = [PurePosixPath(name) for name in names]
    images = {place.with_suffix("") for place in places}
    alike = Counter((place.parent.parent, place.stem) for place in places)
    found = [place for place in places if _is_beside(place, images) or _is_apart(place, alike)]
    if not found:
        return None
    told = number_of(len(found), "image seems to be a mask of another", "images seem to be masks of others")
    return f"{told}, such as {found[0]}; if so, take {'it' if len(found) == 1 else 'them'} out of the folder"


def _is_beside(place: PurePosixPath, images: set[PurePosixPath]) -> bool:
    """Return whether a file has the name of another one in its folder, with an ending such as `_mask`."""
    ending = _ENDING.search(place.stem)
    return ending is not None and place.with_name(place.stem[: ending.start()] or "_") in images


def _is_apart(place: PurePosixPath, alike: Counter[tuple[PurePosixPath, str]]) -> bool:
    """Return whether a file is in a folder such as `masks`, next to one with a file of the same name."""
    return place.parent.name.lower() in _FOLDERS and alike[place.parent.parent, place.stem] > 1
