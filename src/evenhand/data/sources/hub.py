"""Data sets of the Hugging Face Hub, `hf://datasets/ORG/NAME[@REVISION][/FOLDER][:SPLIT]`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand._hub import says_what_the_hub_said
from evenhand._optional import optional
from evenhand.data.files import address, names_below
from evenhand.data.labels import some
from evenhand.data.sources.kinds import ImageTables
from evenhand.data.sources.picture_tables import check_one_set, holds_pictures
from evenhand.data.split_names import SPLIT_NAMES, split_in_name

EXPORT = "refs/convert/parquet"
"""The branch on which the Hub keeps a Parquet copy of a data set in another format."""


def is_hub(path: Path) -> bool:
    """Return whether a path is an address of the Hub."""
    return path.parts[:1] == ("hf:",)


def hub_tables(path: Path) -> ImageTables | None:
    """Return the Parquet files of a data set: its own, or the Hub's export; None where it has neither.

    Parameters
    ----------
    path : Path
        `hf://datasets/ORG/NAME`, with `@REVISION` after the name, folders, and `:SPLIT` at the end if wanted.

    Raises
    ------
    EvenhandError
        If it is no address of a data set, the Hub cannot be reached or has none of this name, or the split is
        none of its splits.
    """
    folder, split = _without_split(path)
    if len(folder.parts) < 4 or folder.parts[1] != "datasets":
        raise EvenhandError(f"{address(path)} names no data set; write hf://datasets/ORG/NAME, or add :SPLIT")
    with says_what_the_hub_said(address(folder), "give the folder of a downloaded copy"):
        # A listing calls missing whatever it cannot read; this raises what the Hub said.
        optional("huggingface_hub", "hf").HfFileSystem().info("/".join(folder.parts[1:]))
        root, files = folder, _tables(folder)
        if not files and "@" not in folder.parts[3]:
            root = Path(*folder.parts[:3], f"{folder.parts[3]}@{EXPORT}", *folder.parts[4:])
            files = _tables(root, missing=True)
    if not files:
        if split is None:
            return None
        raise EvenhandError(f"{address(folder)} has no Parquet files with images to take a split of")
    cut = any("partial-" in file.as_posix() for file in files)
    note = f"{address(folder)} is large: the Hub's Parquet export holds only its first part"
    chosen = files if split is None else _of_split(root, files, split)
    check_one_set(root, chosen)
    # Where a split was asked for, the names of the files tell none.
    return ImageTables(root, chosen, alone=split is not None, notes=(note,) if cut else ())


def _without_split(path: Path) -> tuple[Path, str | None]:
    name, colon, split = path.name.partition(":")
    return (path.with_name(name), split) if colon and len(path.parts) > 1 else (path, None)


def _tables(folder: Path, *, missing: bool = False) -> list[Path]:
    """Return the Parquet files with images below a folder; none where it is missing and may be."""
    try:
        names = [name for name in names_below(folder) if name.endswith(".parquet")]
    except FileNotFoundError:
        if missing:
            return []
        raise
    return [folder / name for name in names if holds_pictures(folder / name)]


def _of_split(root: Path, files: Sequence[Path], split: str) -> list[Path]:
    told = {file: split_in_name(file.relative_to(root).as_posix()) for file in files}
    wanted = SPLIT_NAMES.get(split.lower())
    chosen = [file for file in files if told[file] == wanted and wanted is not None]
    if not chosen:
        there = sorted({name for name in told.values() if name})
        raise EvenhandError(
            f"{address(root)} has no split {split!r}; its splits are {some(there) or 'not named'}"
        )
    return chosen
