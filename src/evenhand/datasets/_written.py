"""Write the images that a benchmark draws or cuts out of arrays once, in the ImageFolder convention."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from PIL import Image

from evenhand._errors import EvenhandError
from evenhand._files import atomic, make_folder
from evenhand.datasets.base import Dataset

CARD = "recipe.json"


def recipe_of(name: str, dataset: Dataset) -> dict[str, Any]:
    """Return what determines the images: the benchmark and its parameters, without expected sizes."""
    params = {f.name: getattr(dataset, f.name) for f in fields(dataset) if f.name != "expected"}  # type: ignore[arg-type]
    return {"benchmark": name, "version": 1, **params}


def once(folder: Path, recipe: Mapping[str, Any], write: Callable[[Path], Any]) -> Path:
    """Call `write(folder)` unless the folder holds this very recipe's images already.

    `recipe.json`, written last, marks the folder as complete; an interrupted folder is written again. Equal
    recipes give equal bytes.

    Raises
    ------
    EvenhandError
        If the folder holds another recipe's images, or cannot be written.
    """
    card = folder / CARD
    wanted = json.loads(json.dumps(recipe))
    if card.exists():
        found = json.loads(card.read_text(encoding="utf-8"))
        if found != wanted:
            changed = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
            raise EvenhandError(
                f"{folder} holds images of another recipe, with {changed[0]} {found.get(changed[0])!r} "
                f"instead of {wanted.get(changed[0])!r}; name another folder, or delete the folder"
            )
        return folder
    make_folder(folder)
    write(folder)
    with atomic(card) as temporary:
        temporary.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")
    return folder


def write_split(folder: Path, rows: Iterable[tuple[Image.Image, str, str]], attribute: str) -> None:
    """Write images as 00000.png and so on, and `metadata.csv` of file_name, label and `attribute`.

    Parameters
    ----------
    folder : Path
        Folder of the split; created if absent.
    rows : iterable of (image, label, value of the attribute)
        In order.
    attribute : str
        Name of the column.
    """
    make_folder(folder)
    listed = [("file_name", "label", attribute)]
    for number, (picture, label, value) in enumerate(rows):
        name = f"{number:05d}.png"
        # Not flushed one by one: the folder counts only once its card, written last, is there.
        picture.save(folder / name, "PNG", compress_level=1)
        listed.append((name, label, value))
    with (
        atomic(folder / "metadata.csv") as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        csv.writer(stream).writerows(listed)
