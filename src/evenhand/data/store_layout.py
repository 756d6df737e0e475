"""What lies where in a store, and the card that vouches for it.

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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)
from typing_extensions import Self

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._files import atomic, file_sha256
from evenhand._json import first_fault, parse_json

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

_STRICT = ConfigDict(extra="forbid", populate_by_name=True, strict=True)

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


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


class HeadCard(BaseModel):
    """The part of a head that is not a tensor."""

    model_config = _STRICT

    classes: list[str]
    logit_scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    prompts: dict[str, list[str]]


class StoreCard(BaseModel):
    """`card.json`: identity, counts and the SHA-256 of every other file."""

    model_config = _STRICT

    schema_version: Literal[1] = Field(1, alias="schema")
    kind: Literal["store"] = "store"
    identity: dict[str, Any]
    head: HeadCard
    width: PositiveInt
    dtype: Literal["float16", "float32"]
    parts: list[NonNegativeInt]
    rows: PositiveInt
    skipped: NonNegativeInt
    attributes: list[str]
    files: dict[str, Sha256]

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if sum(self.parts) != self.rows:
            raise ValueError(f"parts of {sum(self.parts)} rows in all do not make {self.rows} rows")
        needed = {HEAD, ROWS, SKIPPED, *(features_name(part) for part in range(len(self.parts)))}
        allowed = needed | {thumbnails_name(part) for part in range(len(self.parts))}
        if not needed <= set(self.files) <= allowed:
            raise ValueError("files does not name the files of a store")
        return self

    @property
    def ungrouped(self) -> list[str]:
        """The names of the columns that make no groups: those that `embed` measured, and the user's.

        Raises
        ------
        ValueError
            If they are not names.
        """
        return ungrouped_columns(self.identity)

    def text(self) -> str:
        """Return the text of this card, with a checksum of itself."""
        return sealed(self.model_dump(by_alias=True))


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


def _how_far(folder: Path) -> str:
    """Return how much of an unfinished store is done, and the command that goes on."""
    try:
        plan = parse_json((folder / PLAN).read_text(encoding="utf-8"))
        n, command, each = plan["images"], plan["command"], plan["identity"]["part_rows"]
        done = each * len(list((folder / PROGRESS).glob("part-*.json")))
        counted = f": {min(done, n):,} of {number_of(n, 'image is', 'images are')} done"
    except (OSError, ValueError, LookupError, TypeError):  # of an earlier version
        counted, command = "", None
    return f"{counted}; to resume it, run {command or 'the same command again'}"


def embedded(card: Mapping[str, Any]) -> bool:
    """Return whether a store's card names a model; imported embeddings have none."""
    return "family" in card and card["family"] != "import"


def read_card(folder: Path) -> StoreCard:
    """Read and check a store's card.

    Raises
    ------
    EvenhandError
        If the folder is not a store, is unfinished, or its card is of another schema or was edited.
    """
    path = folder / CARD
    try:
        text = path.read_bytes().decode()
        data = parse_json(text)
    except (FileNotFoundError, NotADirectoryError) as error:
        if (folder / PLAN).is_file():
            raise EvenhandError(f"{folder} is unfinished{_how_far(folder)}") from error
        raise EvenhandError(
            f"{folder} is not a store: it has no {CARD}; make one with embed or import"
        ) from error
    except (OSError, ValueError) as error:
        raise EvenhandError(f"{path} cannot be read as JSON ({error}); make the store again") from error
    if not isinstance(data, dict) or data.get("kind") != "store":
        raise EvenhandError(
            f"{folder} is not a store: its {CARD} is another's; make one with embed or import"
        )
    if data.get("schema") != 1:
        raise EvenhandError(
            f"{path} has schema {data.get('schema')!r}, this version reads 1; make the store again"
        )
    checksum = data.pop("checksum", None)
    try:
        card = StoreCard.model_validate(data)
    except ValidationError as error:
        fault = first_fault(error, "its counts")
        raise EvenhandError(f"{path} is malformed at {fault}; make the store again") from error
    if card.text() != text or checksum is None:
        raise EvenhandError(f"{path} was changed since the store was made; make the store again")
    return card


def check_files(folder: Path, card: StoreCard) -> None:
    """Check the SHA-256 of every file that a store's card vouches for.

    Raises
    ------
    EvenhandError
        If a file is missing, was changed, or cannot be read.
    """
    for name in card.files:
        if not (folder / name).is_file():
            raise EvenhandError(f"store {folder} lacks the file {name}; make the store again")
    try:
        # Hashing lets other threads run: two cores verify twice as fast.
        with ThreadPoolExecutor() as pool:
            found = list(pool.map(lambda name: file_sha256(folder / name), card.files))
    except OSError as error:
        reason = " ".join(str(error).split())
        raise EvenhandError(f"store {folder} cannot be read ({reason}); make it again") from error
    for (name, expected), digest in zip(card.files.items(), found, strict=True):
        if digest != expected:
            raise EvenhandError(f"{folder / name} was changed since the store was made; make the store again")
