"""Attribute columns that a review adds to a finished store, with what is known of their error.

A store's own files never change: its card has their checksums. Added columns are in one file next to them,
`estimated.parquet`, which names the store's rows by their SHA-256 and is replaced as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from evenhand._errors import EvenhandError
from evenhand._files import atomic
from evenhand.data.lock import FolderLock
from evenhand.data.store_card import Sha256, StoreCard, read_card
from evenhand.data.store_layout import OWN_COLUMNS, ROWS, UNITS

if TYPE_CHECKING:  # commands ask for the names of columns before NumPy is loaded
    import pyarrow as pa

    from evenhand._typing import Strings

ESTIMATED = "estimated.parquet"
_KEY = b"evenhand"

Share = Annotated[float, Field(ge=0, le=1)]


class EstimatedColumn(BaseModel):
    """How an attribute column was estimated, and what it may be used for.

    Attributes
    ----------
    column : str
        Its name.
    question : str
        What people were asked.
    answers : int
        How many of their answers it was estimated from.
    error, low, high : float
        Share of answers that the estimate contradicts, cross-validated, with its 95 % interval.
    used_for : "evaluation" or "training"
        With "evaluation" no method that uses group labels in training or selection may have the column.
    """

    model_config = ConfigDict(extra="forbid")

    column: str
    question: str
    answers: NonNegativeInt
    error: Share
    low: Share
    high: Share
    used_for: Literal["evaluation", "training"] = "evaluation"

    def sentence(self) -> str:
        """Return what a reader of group figures should know."""
        touched = (
            "the answers affect evaluation, not training"
            if self.used_for == "evaluation"
            else "the user lets the answers affect training"
        )
        return (
            f"groups are those of {self.column!r}, estimated from {self.answers} answers to "
            f"{self.question!r} with an error of {100 * self.error:.0f} % "
            f"[{100 * self.low:.0f}, {100 * self.high:.0f}]; {touched}"
        )


class _Sheet(BaseModel):
    """What the file says of itself, in the metadata of its schema."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    rows_sha256: Sha256
    columns: dict[str, EstimatedColumn]


@dataclass(frozen=True)
class EstimatedValues:
    """The values [N] of an added column, with how they were estimated."""

    values: Strings
    about: EstimatedColumn


def attribute_names(store: Path) -> list[str]:
    """Return the attributes of a store, its own and those that reviews added, without reading features.

    Raises
    ------
    EvenhandError
        If the folder is not a store, or its added columns cannot be read.
    """
    card = read_card(store)
    found = _read(store, card)
    return [*card.attributes, *(found[0].columns if found else ())]


def read_estimated(store: Path, card: StoreCard) -> dict[str, EstimatedValues]:
    """Return the columns that reviews added to a store, by name; empty without any.

    Raises
    ------
    EvenhandError
        If the file cannot be read, or belongs to other rows.
    """
    found = _read(store, card)
    if found is None:
        return {}
    sheet, table = found
    return {name: EstimatedValues(_strings(table, name), about) for name, about in sheet.columns.items()}


def write_estimated(store: Path, values: Strings, about: EstimatedColumn) -> None:
    """Add a column to a finished store, or replace one that a review added.

    Parameters
    ----------
    store : Path
        The store's folder.
    values : str [N]
        One value per row, in the order of the store; the empty string means unknown.
    about : EstimatedColumn
        How they were estimated.

    Raises
    ------
    EvenhandError
        If the store has a column of this name of its own, the values are not one per row, or the file cannot
        be written.
    """
    card = read_card(store)
    if not about.column or about.column in (*OWN_COLUMNS, UNITS, *card.attributes):
        raise EvenhandError(
            f"write: the store already has the attribute {about.column!r}; choose another name"
        )
    if len(values) != card.rows:
        raise EvenhandError(f"write: {len(values)} values for {card.rows} rows; give one per row")
    lock = FolderLock(store)
    try:
        added = read_estimated(store, card) | {about.column: EstimatedValues(values, about)}
        _write(store / ESTIMATED, card, added)
    finally:
        lock.release()


def _write(path: Path, card: StoreCard, added: Mapping[str, EstimatedValues]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sheet = _Sheet(
        schema=1, rows_sha256=card.files[ROWS], columns={name: one.about for name, one in added.items()}
    )
    table = pa.table({name: pa.array(one.values.tolist(), pa.string()) for name, one in added.items()})
    table = table.replace_schema_metadata({_KEY: sheet.model_dump_json(by_alias=True).encode()})
    with atomic(path) as temporary, temporary.open("wb") as stream:
        pq.write_table(table, stream)


def _read(store: Path, card: StoreCard) -> tuple[_Sheet, pa.Table] | None:
    path = store / ESTIMATED
    if not path.is_file():
        return None

    import pyarrow as pa

    from evenhand._parquet import read_parquet

    try:
        table = read_parquet(path)
        sheet = _Sheet.model_validate_json((table.schema.metadata or {})[_KEY])
        if table.column_names != list(sheet.columns) or table.num_rows != card.rows:
            raise ValueError("its columns are not those that it names")
    except (OSError, ValueError, KeyError, ValidationError, pa.ArrowException) as error:
        raise EvenhandError(
            f"{path} cannot be read as columns of a review; remove it, and review again"
        ) from error
    if sheet.rows_sha256 != card.files[ROWS]:
        raise EvenhandError(f"{path} belongs to other rows than the store's; remove it, and review again")
    return sheet, table


def _strings(table: pa.Table, name: str) -> Strings:
    import numpy as np

    values: Strings = np.array(table[name].to_pylist(), dtype=np.str_)
    return values
