"""What lies where in a store.

::

    card.json                      identity, counts, SHA-256 of every other file; written last
    head.safetensors               weight [D, D_out], bias [D_out] and text [C, D_out] where there are any,
                                   and the arrays `data.head.POOL` where features are maps
    rows.parquet                   id, path, label, split and attributes, a row per embedded image; `copy_of`,
                                   where images have copies
    skipped.parquet                id, path, reason
    features/part-00000.npy        [n, D_in]
    thumbnails/part-00000.parquet  one binary column `jpeg`, a row per row of the part
    plan.json, progress/           only while the store is being written
    .lock                          empty
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evenhand._files import atomic

if TYPE_CHECKING:  # it loads NumPy, before which the threads must be set
    from evenhand._typing import Strings

CARD, HEAD, ROWS, SKIPPED = "card.json", "head.safetensors", "rows.parquet", "skipped.parquet"
OWN_COLUMNS = ("id", "path", "label", "split")
"""Columns of `rows.parquet` that every store has; the others are attributes."""
UNITS = "split_by"
"""Column of `rows.parquet` that says what no split divides, where the identity has a `split_by`."""
COPY_OF = "copy_of"
"""Column of `rows.parquet` with the id of the first copy of an image; it is no attribute of the card."""
MEASURED, OTHERS = "image_properties", "columns"
"""Keys of an identity: columns that `embed` measured, and those of the user that make no groups."""
PLAN = "plan.json"
"""Identity of a store that is being written; goes when the card, written last, makes it a store."""
FEATURES, THUMBNAILS, PROGRESS = "features", "thumbnails", "progress"


def features_name(part: int) -> str:
    """Return the name of a part's features."""
    return f"{FEATURES}/part-{part:05d}.npy"


def thumbnails_name(part: int) -> str:
    """Return the name of a part's thumbnails."""
    return f"{THUMBNAILS}/part-{part:05d}.parquet"


def progress_name(part: int, what: Literal["rows", "skipped"]) -> str:
    """Return the name of a finished part's rows while the store is being written."""
    return f"{PROGRESS}/{what}-{part:05d}.parquet"


def sidecar_name(part: int) -> str:
    """Return the name of the file that, written last, makes a part count."""
    return f"{PROGRESS}/part-{part:05d}.json"


def ungrouped_columns(identity: Mapping[str, Any]) -> list[str]:
    """Return the names of the columns that make no groups, of a store's identity.

    Raises
    ------
    ValueError
        If they are no names.
    """
    names, others = identity.get(MEASURED, []), identity.get(OTHERS, {})
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{MEASURED} is not a list of names")
    if not isinstance(others, dict):
        raise ValueError(f"{OTHERS} is no object of names and checksums")
    return [*names, *others]


def others_identity(columns: Mapping[str, Strings]) -> dict[str, dict[str, str]]:
    """Return what an identity says of the user's columns that make no groups: their SHA-256, if any."""
    texts = {name: "\0".join(values.tolist()) for name, values in columns.items()}
    found = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    return {OTHERS: found} if found else {}


def json_text(data: dict[str, Any]) -> str:
    """Return sorted, indented JSON: one text for one value."""
    return json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def sealed(data: dict[str, Any]) -> str:
    """Return the JSON of a card with a checksum of itself: an edit by hand shows."""
    return json_text({**data, "checksum": hashlib.sha256(json_text(data).encode()).hexdigest()})


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_bytes(text.encode())
