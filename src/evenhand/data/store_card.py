"""The card of a store: identity, counts and checksums, and what is refused of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, Literal

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
from evenhand._files import file_sha256
from evenhand._json import first_fault, parse_json
from evenhand.data.store_layout import (
    CARD,
    HEAD,
    PLAN,
    PROGRESS,
    ROWS,
    SKIPPED,
    features_name,
    sealed,
    thumbnails_name,
    ungrouped_columns,
)

_STRICT = ConfigDict(extra="forbid", populate_by_name=True, strict=True)

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


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


def embedded(card: Mapping[str, Any]) -> bool:
    """Return whether a store's card names a model; imported embeddings have none."""
    return "family" in card and card["family"] != "import"


def is_other_model(
    card: Mapping[str, Any], model: str | None, family: str | None, sites: Sequence[str]
) -> bool:
    """Return whether a model is another one than that of a store's card, as far as its name tells.

    Parameters
    ----------
    card : mapping
        Card of a store that `embed` made.
    model, family, sites
        As in `backbones.outline.Outline`; None or empty for what is not known.
    """
    if family not in (None, card["family"]) or are_other_names(card.get("model"), model):
        return True
    return bool(sites) and site_of(card) not in sites


def are_other_names(old: object, new: object) -> bool:
    """Return whether two names of open_clip's models, or two of its tags, stand for different weights.

    Folders, files and names on the Hub may hold any weights. A name may have a second form for QuickGELU.

    >>> are_other_names("ViT-B-32", "RN50"), are_other_names("ViT-B-32", "ViT-B-32-quickgelu")
    (True, False)
    >>> are_other_names("local-dir:/model", "RN50")
    False
    """
    one, other = _spelled(old), _spelled(new)
    return None not in (one, other) and one != other


def _spelled(name: object) -> str | None:
    """Return a name or a tag in one spelling; None for anything else."""
    known = re.fullmatch(r"[\w-]+", name) if isinstance(name, str) else None
    return known[0].lower().replace("-", "_").removesuffix("_quickgelu") if known else None


def site_of(card: Mapping[str, Any]) -> str:
    """Return the site of a store's features, in the form in which users give it."""
    return str(card.get("site")).removeprefix("visual.")


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
    """Check the SHA-256 of every file that a store's card lists.

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
