"""Data sets of the Hugging Face Hub, `hf://datasets/ORG/NAME[@REVISION][/FOLDER][:SPLIT]`, as folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._hub import says_what_the_hub_said
from evenhand._optional import optional
from evenhand.data.files import address, is_dir, names_below
from evenhand.data.labels import some
from evenhand.data.sources.kinds import ImageTables, Source
from evenhand.data.split_names import SPLIT_NAMES, split_in_name

EXPORT = "refs/convert/parquet"
"""The branch on which the Hub keeps a Parquet copy of a data set in another format."""


def is_hub(path: Path) -> bool:
    """Return whether a path is an address on the Hugging Face Hub."""
    return path.parts[:1] == ("hf:",)


def hub_folder(path: Path) -> tuple[Path, str | None]:
    """Return the folder to read for an address, and the split that it names after a colon, or None.

    If a data set has no Parquet files of its own, the folder is that of the Hub's Parquet export. An address
    that names a revision is read as it is.

    Raises
    ------
    EvenhandError
        If the address is not that of a data set, the Hub cannot be reached, or it has no such data set.
    """
    name, colon, split = path.name.partition(":")
    folder = path.with_name(name) if colon and len(path.parts) > 1 else path
    if len(folder.parts) < 4 or folder.parts[1] != "datasets":
        raise EvenhandError(f"{address(path)} names no data set; write hf://datasets/ORG/NAME, or add :SPLIT")
    with says_what_the_hub_said(address(folder), "give the folder of a downloaded copy"):
        # A listing reports a data set that it may not read as missing. This call raises what the Hub said.
        optional("huggingface_hub", "hf").HfFileSystem().info("/".join(folder.parts[1:]))
        return _own_or_export(folder), split if colon else None


def _own_or_export(folder: Path) -> Path:
    """Return the folder of a data set, or that of its export if only the export has Parquet files."""
    data_set = folder.parts[3]
    if "@" in data_set or not is_dir(folder) or any(map(_is_data, names_below(folder))):
        return folder
    export = Path(*folder.parts[:3], f"{data_set}@{EXPORT}", *folder.parts[4:])
    return export if is_dir(export) else folder


def _is_data(name: str) -> bool:
    # metadata.parquet holds no images: it describes image files.
    return name.endswith(".parquet") and Path(name).name != "metadata.parquet"


def of_data_set(found: Source, split: str | None) -> Source:
    """Return the source of a data set, reduced to one split if the address names one.

    A note says if the Hub's export holds only the first part of the data set.

    Raises
    ------
    EvenhandError
        If the address names a split, but the data set has no tables with images, or no table of this split.
    """
    where = address(found.path)
    if not isinstance(found, ImageTables):
        if split is None:
            return found
        raise EvenhandError(f"{where} has no Parquet files with images to take a split of")
    notes = found.notes
    if any("partial-" in file.as_posix() for file in found.files):
        data_set = where.replace(f"@{EXPORT}", "")
        notes = (f"{data_set} is large: the Hub's Parquet export holds only its first part", *notes)
    if split is None:
        return replace(found, notes=notes)
    told = {file: split_in_name(file.relative_to(found.path).as_posix()) for file in found.files}
    wanted = SPLIT_NAMES.get(split.lower())
    chosen = [file for file, name in told.items() if name == wanted and wanted is not None]
    if not chosen:
        there = some(sorted({name for name in told.values() if name})) or "not named"
        raise EvenhandError(f"{where} has no split {split!r}; its splits are {there}")
    return replace(found, files=chosen, alone=True, notes=notes)
