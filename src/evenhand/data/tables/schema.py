"""What the schema of a Parquet or Arrow file tells: where bytes are, and which columns are images or classes.

The Hugging Face Hub's files name the features of their columns, besides Arrow's own types.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from evenhand.data.file_names import IMAGE_TABLES
from evenhand.data.files import open_bytes
from evenhand.data.tables.column_names import BYTES_COLUMNS, PATH_COLUMNS


class Leaf(NamedTuple):
    """Where a column keeps bytes: the names below it, "" for the one item of a list."""

    column: str
    steps: tuple[str, ...]


def read_schema(path: Path) -> pa.Schema:
    """Return the schema of a Parquet or Arrow file.

    Raises
    ------
    OSError
        If it cannot be opened.
    pyarrow.ArrowException
        If it is another file, or is cut.
    """
    with open_bytes(path) as source:
        if path.suffix.lower() != ".arrow":
            return pq.read_schema(source)
        try:
            return pa.ipc.open_stream(source).schema
        except pa.ArrowInvalid:
            source.seek(0)
            return pa.ipc.open_file(source).schema


def hub_features(schema: pa.Schema) -> dict[str, dict[str, Any]]:
    """Return the features of the columns by name; none where the file keeps none that can be read."""
    try:
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = dict(about["info"]["features"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return {}
    return {name: feature for name, feature in features.items() if isinstance(feature, dict)}


def columns_of_type(schema: pa.Schema, kind: str) -> list[str]:
    """Return the columns of a feature type, such as `Image` or `ClassLabel`."""
    found = hub_features(schema).items()
    return [name for name, feature in found if feature.get("_type") == kind and name in schema.names]


def bytes_columns(schema: pa.Schema) -> dict[str, Leaf]:
    """Return the columns that hold bytes, each with where the bytes themselves are."""
    found = {field.name: _steps(field.type) for field in schema}
    return {name: Leaf(name, steps) for name, steps in found.items() if steps is not None}


def picture_column(schema: pa.Schema) -> Leaf | None:
    """Return the column with images: by the Hub's features, by its name, or the only one of bytes."""
    found = bytes_columns(schema)
    told = [found[name] for name in columns_of_type(schema, "Image") if name in found]
    named = told or [leaf for name, leaf in found.items() if name.strip().lower() in BYTES_COLUMNS]
    chosen = named or (list(found.values()) if len(found) == 1 else [])
    return chosen[0] if chosen else None


def holds_images(path: Path) -> bool:
    """Return whether a file is a Parquet or Arrow file with a column of images."""
    if path.suffix.lower() not in IMAGE_TABLES:
        return False
    try:
        schema = read_schema(path)
    except (OSError, pa.ArrowException):
        return False
    leaf = picture_column(schema)
    if leaf is None:
        return False
    # Next to a column of paths, bytes may be anything. They are images only if their column's name says so.
    has_paths = any(name.strip().lower() in PATH_COLUMNS for name in schema.names if name != leaf.column)
    return not has_paths or leaf.column.strip().lower() in BYTES_COLUMNS


def _steps(kind: pa.DataType) -> tuple[str, ...] | None:
    if pa.types.is_struct(kind):
        below = (_below(field.name, _steps(field.type)) for field in kind)
        return next((steps for steps in below if steps), None)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        # A list of bare bytes may be anything, one of records with bytes is the Hub's.
        return _below("", _steps(kind.value_type)) if pa.types.is_struct(kind.value_type) else None
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return () if kind in (pa.binary(), pa.large_binary(), pa.binary_view()) else None


def _below(name: str, steps: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if steps is None else (name, *steps)
