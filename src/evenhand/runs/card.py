"""The card of a run folder, which has the checksums of its other files, and readers of these files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evenhand._errors import EvenhandError
from evenhand._files import file_sha256, was_interrupted
from evenhand._json import first_fault, parse_json
from evenhand._outputs import RESULTS, check_writable
from evenhand.data.store_card import Sha256, embedded
from evenhand.data.store_layout import CARD, sealed, write_text

if TYPE_CHECKING:  # a folder that is not a run is refused before any model is imported
    from evenhand.backbones.load import Loaded

AUDIT = "audit.json"
"""What the last audit found; the card has no checksum of it, since it comes later."""
_Name = Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z]+$")]
"""The name of a file in the run folder; a card from elsewhere must not name files outside it."""


class StoreOfRun(BaseModel):
    """The store's card in the card of a run: the fields that later commands read, and any others."""

    model_config = ConfigDict(extra="allow", strict=True)

    family: str | None = None
    model: str | None = None
    pretrained: str | None = None
    precision: str | None = None
    site: str | None = None
    weights_sha256: str | None = None
    preprocessing: str | None = None
    activation: str | None = None
    prompts: dict[str, list[str]] = {}


class RunCard(BaseModel):
    """The content of a run's card.json: method, data, settings, and the SHA-256 of each other file."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, strict=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    kind: Literal["run"] = "run"
    method: str
    seed: int
    params: dict[str, str]
    concept_words: dict[str, Any] | None
    settings: dict[str, Any]
    classes: list[str]
    width: int
    store: str | None
    store_card: StoreOfRun
    validation_from: Literal["train", "given"]
    group_by: str | None
    group_labels_from: dict[str, Any] | None = None
    files: dict[_Name, Sha256]


def check_width(found: int, wanted: int) -> None:
    """Refuse features of another width than a run takes.

    Raises
    ------
    EvenhandError
        If the widths differ.
    """
    if found != wanted:
        raise EvenhandError(
            f"features: they have width {found} but the run takes {wanted}; "
            "use features of the model that the run was fitted on"
        )


def write_card(run: Path, fields: Mapping[str, Any]) -> None:
    """Write the card of a run folder from the fields of `RunCard`, and hash the other files in the folder."""
    files = {file.name: file_sha256(file) for file in sorted(run.iterdir())}
    # The checksum covers what a reader gets: JSON turns tuples into lists, and number keys into text.
    card = json.loads(json.dumps({"schema": 1, "kind": "run", **fields, "files": files}))
    write_text(run / CARD, sealed(card))


def check_free(out: Path) -> None:
    """Check, before the training, that a run can be written to a path.

    Raises
    ------
    EvenhandError
        If the path holds anything but a run, or cannot be written.
    """
    try:
        taken = out.exists() and (not out.is_dir() or any(not e.name.startswith(".") for e in out.iterdir()))
    except OSError as error:
        raise EvenhandError(f"out: {out} cannot be used as a folder: {error.strerror}") from error
    if taken and not (out.is_dir() and (is_run(out) or was_interrupted(out))):
        raise EvenhandError(f"out: {out} exists and is not a run folder; name a new one")
    check_writable(out)


def check_results(folder: Path) -> None:
    """Check that a folder holds results, before anything that reads them is imported.

    Raises
    ------
    EvenhandError
        If it does not hold results.
    """
    if not (folder / RESULTS).is_file():
        raise EvenhandError(
            f"{folder} has no readable {RESULTS}; give the folder that fit, compare or demo wrote"
        )


def is_run(folder: Path) -> bool:
    """Return whether a folder holds a run, of any version."""
    try:
        return bool(_read(folder, CARD).get("kind") == "run")
    except EvenhandError:
        return False


def read_card(run: Path) -> dict[str, Any]:
    """Return the card of a run folder, after checking it and the files whose checksums it has.

    Raises
    ------
    EvenhandError
        If the folder has no card; the card cannot be read, was edited, or is of another version; or a file
        is missing or was changed.
    """
    card = _read(run, CARD)
    if card.get("kind") != "run":
        raise EvenhandError(f"{run} is not a run folder: its card.json is of another kind; make one with fit")
    if card.get("schema") != 1:
        raise EvenhandError(
            f"{run} has card schema {card.get('schema')!r}; this version reads runs of schema 1"
        )
    checksum = card.pop("checksum", None)
    try:
        files = RunCard.model_validate(card).files
    except ValidationError as error:
        fault = first_fault(error, "its fields")
        raise EvenhandError(f"{run / CARD} is malformed at {fault}; run fit again") from error
    if json.loads(sealed(card))["checksum"] != checksum:
        raise EvenhandError(f"{run / CARD} was changed since the fit; run fit again")
    for name, digest in files.items():
        _verify(run / name, digest)
    return card


def _verify(path: Path, digest: str) -> None:
    if path.exists() and not path.is_file():  # reading a pipe would wait forever
        raise EvenhandError(f"{path} is not a regular file; run fit again")
    try:
        whole = file_sha256(path) == digest
    except OSError as error:
        raise EvenhandError(f"{path} cannot be read ({error.strerror}); run fit again") from error
    if not whole:
        raise EvenhandError(f"{path} was changed since the fit; run fit again")


def read_result(run: Path) -> dict[str, Any]:
    """Return the row in the results.json of a run, as plain data with the fields of `ResultRow`.

    Raises
    ------
    EvenhandError
        If the file cannot be read, is of another version, or does not hold one row.
    """
    from evenhand.evaluation.results import ResultRow

    results = _read(run, RESULTS)
    rows = results.get("rows")
    if results.get("schema") != 1 or not isinstance(rows, list) or len(rows) != 1:
        raise EvenhandError(f"{run / RESULTS} is not what fit writes, schema 1 and one row; run fit again")
    try:
        return ResultRow.model_validate(rows[0]).model_dump(mode="json")
    except ValidationError as error:
        fault = first_fault(error, "its row")
        raise EvenhandError(f"{run / RESULTS} is malformed at {fault}; run fit again") from error


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file of a run.

    Raises
    ------
    EvenhandError
        If the file cannot be read, or holds a value that has no Python equivalent.
    """
    import pyarrow as pa  # not at the top: a folder that is not a run is refused before NumPy is loaded

    from evenhand._parquet import read_parquet

    try:
        found: list[dict[str, Any]] = read_parquet(path).to_pylist()
    except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise EvenhandError(f"{path} cannot be read ({reason}); run fit again") from error
    return found


def run_backbone(
    card: Mapping[str, Any], device: str, *, precision: str | None = None, model: str | None = None
) -> Loaded:
    """Load the model that embedded the store of a run, and check that it has the same weights.

    Parameters
    ----------
    card : mapping
        The card of the run.
    device : str
        Torch device, such as "cpu" or "cuda".
    precision : str, optional
        Number type of the model; by default, that of the store.
    model : str, optional
        Folder or checkpoint of the model, if it is no longer where the store's card says.

    Raises
    ------
    EvenhandError
        If the store holds imported embeddings, or the model cannot be loaded or has other weights.
    """
    check_embeds(card)

    from evenhand.backbones.from_card import backbone_of, with_model_at

    return backbone_of(with_model_at(card["store_card"], model), device, precision=precision)


def check_embeds(card: Mapping[str, Any]) -> None:
    """Refuse a run that knows no model for images.

    Raises
    ------
    EvenhandError
        If it was fitted on imported embeddings.
    """
    if not embedded(card["store_card"]):
        raise EvenhandError(
            "the run was fitted on imported embeddings, so images cannot be embedded; give `features='X.npy'`"
        )


def _read(run: Path, name: str) -> dict[str, Any]:
    try:
        found = parse_json((run / name).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EvenhandError(f"{run} is not a run folder: it has no {name}; make one with fit") from error
    except (OSError, ValueError) as error:
        raise EvenhandError(f"{run / name} cannot be read ({error}); run fit again") from error
    if not isinstance(found, dict):
        raise EvenhandError(f"{run / name} holds no object; run fit again")
    return found
