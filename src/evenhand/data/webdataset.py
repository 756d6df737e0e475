"""WebDataset shards: tars whose members belong together by the name before their first dot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evenhand._errors import EvenhandError
from evenhand.data.archives import is_archive, members, open_file
from evenhand.data.files import is_dir
from evenhand.data.folders import all_files, find_images, has_picture_name
from evenhand.data.listing import Listing, Options, list_rows
from evenhand.data.split_names import split_in_name
from evenhand.data.tables_in import columns_of

_LABELS = ("cls", "json")


def webdataset_shards(source: Path) -> list[Path]:
    """Return the shards that a tar or a folder is; none for anything else.

    A tar is one if it has pictures with `.cls` or `.json` members beside them; a folder if it holds such tars
    and, hidden files aside, nothing else, at most in split folders.
    """
    if not is_dir(source):
        return [source] if _is_shard(source) else []
    found = all_files(source, ".tar")
    return found if all(map(_is_shard, found)) else []


def list_shards(source: Path, shards: Sequence[Path], options: Options) -> Listing:
    """List the samples of shards; what `.cls` and `.json` members say are the columns.

    The label is the column `label` of the `.json`, or else the `.cls`; the split is a column, or for a folder
    of shards a word in their names or folders, as in `train-000000.tar`.

    Raises
    ------
    EvenhandError
        If a member cannot be read, a label is missing, or a named column is.
    """
    root = source if is_dir(source) else source.parent
    rows = [
        # One shard alone is not a split.
        {**(_split(shard.relative_to(root).as_posix()) if is_dir(source) else {}), **row}
        for shard in shards
        for row in _rows(root, shard)
    ]
    columns = columns_of(root / "the .json and .cls members", rows)
    if options.label == "label" and "label" not in columns.values and "cls" in columns.values:
        options = replace(options, label="cls")
    return list_rows(columns, options)


def _is_shard(path: Path) -> bool:
    if path.suffix.lower() != ".tar" or not is_archive(path):
        return False
    names = members(path)
    labelled = {_key(name) for name in names if name.rpartition(".")[2].lower() in _LABELS}
    return any(_key(name) in labelled for name in names if has_picture_name(name))


def _key(name: str) -> str:
    """Return the name up to the first dot of its last part."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(".")[0]


def _rows(root: Path, shard: Path) -> list[dict[str, Any]]:
    beside: dict[str, dict[str, Any]] = {}
    for name in members(shard):
        kind = name.rpartition(".")[2].lower()
        if kind in _LABELS:
            beside.setdefault(_key(name), {}).update(_said(shard / name, kind))
    place = shard.relative_to(root).as_posix()
    return [{**beside.get(_key(name), {}), "file_name": f"{place}/{name}"} for name in find_images(shard)]


def _said(path: Path, kind: str) -> dict[str, Any]:
    try:
        text = open_file(path).read().decode()
        if kind == "cls":
            return {"cls": text.strip()}
        found = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise EvenhandError(f"{path} cannot be read ({error}); make the shard again") from error
    if not isinstance(found, dict):
        raise EvenhandError(f"{path} holds no object; a sample's .json is one object of names and values")
    return found


def _split(place: str) -> dict[str, str]:
    """Return the split that a shard's folder or the words of its name tell; nothing where they tell none."""
    split = split_in_name(place)
    return {"split": split} if split else {}
