"""Which files are tables, by their names."""

from __future__ import annotations

from pathlib import PurePosixPath

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl")


def is_table_name(name: str) -> bool:
    """Tell whether a file's name is that of a table; a bare text file, as a README, is none."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES and not name.lower().endswith(".txt")
