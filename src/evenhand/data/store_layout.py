"""What lies where in a store, and the card that vouches for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evenhand._errors import EvenhandError
from evenhand._files import atomic

CARD, HEAD, ROWS, SKIPPED = "card.json", "head.safetensors", "rows.parquet", "skipped.parquet"
PLAN = "plan.json"
"""Identity of a store that is being written; goes when the card, written last, makes it a store."""


def features_name(part: int) -> str:
    """Return the name of a part's features."""
    return f"features/part-{part:05d}.npy"


def thumbnails_name(part: int) -> str:
    """Return the name of a part's thumbnails: a Parquet file with the one binary column `jpeg`."""
    return f"thumbnails/part-{part:05d}.parquet"


def progress_name(part: int, what: Literal["rows", "skipped"]) -> str:
    """Return the name of a finished part's rows while the store is being written."""
    return f"progress/{what}-{part:05d}.parquet"


class HeadCard(BaseModel):
    """The part of a head that is no tensor."""

    classes: list[str]
    logit_scale: float
    prompts: dict[str, list[str]]


class StoreCard(BaseModel):
    """`card.json`: identity, counts and the SHA-256 of every other file."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, strict=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    kind: Literal["store"] = "store"
    identity: dict[str, Any]
    head: HeadCard
    width: int
    dtype: Literal["float16", "float32"]
    parts: list[int]
    rows: int
    skipped: int
    attributes: list[str]
    files: dict[str, str]


def read_card(folder: Path) -> StoreCard:
    """Read and check a store's card.

    Raises
    ------
    EvenhandError
        If the folder is no store, is unfinished, or its card is of another schema or was edited.
    """
    path = folder / CARD
    if not path.is_file():
        if (folder / PLAN).is_file():
            raise EvenhandError(f"{folder} is unfinished; run the same embed command again to resume it")
        raise EvenhandError(f"{folder} is no store: it has no {CARD}; make one with embed or import")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvenhandError(f"{path} cannot be read as JSON ({error}); make the store again") from error
    if not isinstance(data, dict) or data.get("schema") != 1:
        found = data.get("schema") if isinstance(data, dict) else None
        raise EvenhandError(f"{path} has schema {found!r}, this version reads 1; make the store again")
    try:
        return StoreCard.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise EvenhandError(
            f"{path} is malformed at {place}: {first['msg']}; make the store again"
        ) from error


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write sorted, indented JSON, whole or not at all."""
    with atomic(path) as temporary:
        text = json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True)
        temporary.write_text(text + "\n", encoding="utf-8")
