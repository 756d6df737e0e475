"""A table that is a folder of parts, as Spark writes it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pyarrow as pa

from evenhand.data.file_names import TABLES, table_suffix
from evenhand.data.files import is_remote, names_below

_NULL = "__HIVE_DEFAULT_PARTITION__"


def part_files(path: Path) -> list[Path]:
    """Return the parts of a table that is a folder on this machine; none of any other folder or file.

    One is known by Spark's `_SUCCESS`, or by names that all begin with `part`.
    """
    if is_remote(path) or not path.is_dir():
        return []
    done = (path / "_SUCCESS").is_file()
    found = []
    for name in names_below(path):
        # At the first other file the walk ends: a folder of images may be large.
        if _is_part(name, done=done):
            # Spark writes a part without a byte where no row is left for it.
            if (path / name).stat().st_size:
                found.append(path / name)
        elif not _is_marker(name):
            return []
    return sorted(found)


def are_parts(names: Collection[str]) -> bool:
    """Return whether the files of a folder, by their names relative to it, are the parts of a table."""
    done = "_SUCCESS" in names
    files = [name for name in names if not _is_marker(name)]
    return bool(files) and all(_is_part(name, done=done) for name in files)


def _is_part(name: str, *, done: bool) -> bool:
    """Return whether a file is a part of a table. `done` says whether Spark's `_SUCCESS` is next to it."""
    last = PurePosixPath(name)
    return (
        not _is_marker(name)
        and table_suffix(name) in (*TABLES, ".json")
        and (done or last.name.startswith("part"))
    )


def _is_marker(name: str) -> bool:
    return PurePosixPath(name).name.startswith("_")


def with_folder_columns(table: pa.Table, place: Path) -> pa.Table:
    """Return a part with a column for each folder `name=value` that it is in."""
    for name, value in folder_columns(place).items():
        if name not in table.column_names:
            table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table


def folder_columns(place: Path) -> dict[str, str]:
    """Return what the folders of a file say that are called `name=value`; "" where Spark had no value."""
    named = [folder.partition("=") for folder in place.parts[:-1] if "=" in folder]
    return {name: "" if value == _NULL else unquote(value) for name, _, value in named}
