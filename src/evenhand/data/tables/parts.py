"""A table that is a folder of parts, as Spark writes it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pyarrow as pa

from evenhand.data.file_names import TABLES
from evenhand.data.files import is_remote, names_below


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
        if is_part(name, done=done):
            found.append(path / name)
        elif not _is_marker(name):
            return []
    return sorted(found)


def is_part(name: str, *, done: bool) -> bool:
    """Return whether a file is a part of a table. `done` says whether Spark's `_SUCCESS` lies beside it."""
    last = PurePosixPath(name)
    return last.suffix.lower() in TABLES and not _is_marker(name) and (done or last.name.startswith("part"))


def _is_marker(name: str) -> bool:
    return PurePosixPath(name).name.startswith("_")


def with_folder_columns(table: pa.Table, place: Path) -> pa.Table:
    """Return a part with a column for each folder `name=value` that it lies in."""
    for folder in place.parts[:-1]:
        name, equals, value = folder.partition("=")
        if equals and name not in table.column_names:
            table = table.append_column(name, pa.array([value] * table.num_rows, pa.string()))
    return table
