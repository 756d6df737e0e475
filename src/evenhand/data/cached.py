"""A computed result as a JSON file that is valid for one key: the hash of what the result depends on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from evenhand._files import atomic, file_sha256
from evenhand.data.store_layout import CARD, json_text
from evenhand.data.table import FeatureTable

_Model = TypeVar("_Model", bound=BaseModel)


def fingerprint(table: FeatureTable) -> str:
    """Return a hash of the content of a table.

    The card of a store holds the checksums of its features. Features that are in no store are hashed here.
    """
    digest = hashlib.sha256()
    columns = [table.y, table.split, table.ids, *table.attributes.values()]
    for array in [*columns, *table.head.arrays().values()]:
        digest.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    names = [list(table.attributes), table.classes, table.head.logit_scale, table.head.prompts]
    digest.update(json.dumps(names).encode())
    if table.head.text is not None:
        digest.update(table.head.text.tobytes())
    if table.source is not None:
        digest.update(file_sha256(table.source / CARD).encode())
    else:
        for part in table.parts:
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def key_of(**settings: Any) -> str:
    """Return the hash of all that a result depends on; a value that JSON cannot hold counts by its repr."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=repr).encode()).hexdigest()


def read_cached(path: Path, key: str, kind: type[_Model]) -> _Model | None:
    """Return the result in a file; None if there is none, it has another key, or the file was changed."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        valid = found["key"] == key and found["checksum"] == _checksum(found["unit"])
        return kind.model_validate(found["unit"]) if valid else None
    except (OSError, ValueError, TypeError, LookupError, RecursionError, ValidationError):
        return None


def write_cached(path: Path, key: str, result: BaseModel) -> None:
    """Write a result with the key that it is valid for.

    Raises
    ------
    EvenhandError
        If the file cannot be written.
    """
    fields = result.model_dump(mode="json")
    content = {"key": key, "checksum": _checksum(fields), "unit": fields}
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def _checksum(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json_text(fields).encode()).hexdigest()
