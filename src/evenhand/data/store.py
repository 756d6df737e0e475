"""Reading a store: verified, memory-mapped, refused in one sentence when it is not what its card says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from evenhand._errors import EvenhandError
from evenhand._parquet import read_parquet
from evenhand._typing import Ints, PathLike, Strings
from evenhand.data.arrays.mapped_parts import MappedParts
from evenhand.data.arrays.tensors import read_tensors
from evenhand.data.estimated import read_estimated
from evenhand.data.head import POOL, Head, projected_width
from evenhand.data.labels import some
from evenhand.data.store_card import StoreCard, check_files, read_card
from evenhand.data.store_layout import (
    CARD,
    COPY_OF,
    HEAD,
    OWN_COLUMNS,
    ROWS,
    SKIPPED,
    UNITS,
    features_name,
    thumbnails_name,
)
from evenhand.data.table import FeatureTable


def load_store(path: PathLike, *, verify: bool = True) -> FeatureTable:
    """Read a finished store.

    Parameters
    ----------
    path : str or Path
        Folder of the store.
    verify : bool, default=True
        Whether to check the SHA-256 of every file; sizes, shapes and types are checked in any case.

    Raises
    ------
    EvenhandError
        If the folder is not a store, is unfinished, or a file is missing, changed or does not fit the card.
    """
    path = Path(path)
    card = read_card(path)
    if verify:
        check_files(path, card)
    try:
        rows = read_parquet(path / ROWS)
        ungrouped = card.ungrouped
        columns = {name: _strings(rows, name) for name in (*OWN_COLUMNS, *card.attributes, *ungrouped)}
        copies = _strings(rows, COPY_OF) if COPY_OF in {*rows.column_names} - {*columns} else None
        if rows.num_rows != card.rows:
            raise ValueError(f"{ROWS} holds {rows.num_rows} rows, the card says {card.rows}")
        head = _head(path, card)
        parts = MappedParts([path / features_name(part) for part in range(len(card.parts))])
        parts.check([(rows, card.width) for rows in card.parts], card.dtype)
        codes = {name: code for code, name in enumerate(head.classes)}
        y: Ints = np.array([codes[name] for name in columns["label"].tolist()], dtype=np.int64)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    added = read_estimated(path, card)
    units = columns.pop(UNITS, None) if "split_by" in card.identity else None
    return FeatureTable(
        parts=parts,
        y=y,
        split=columns["split"],
        ids=columns["id"],
        paths=columns["path"],
        attributes={
            **{name: columns[name] for name in card.attributes if name in columns},
            **{name: one.values for name, one in added.items()},
        },
        head=head,
        card=card.identity,
        source=path,
        units=units,
        copies=copies,
        properties={name: columns[name] for name in ungrouped},
        estimated={name: one.about for name, one in added.items()},
    )


read_store = load_store
"""The name that scripts written before the verbs `load_store` and `load_run` use."""


def read_skipped(path: PathLike) -> pa.Table:
    """Return the rows that were not embedded: id, path, reason.

    Raises
    ------
    EvenhandError
        If the folder is not a finished store or the file cannot be read.
    """
    path = Path(path)
    read_card(path)
    try:
        return read_parquet(path / SKIPPED)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def check_shares_images(path: Path, ids: Sequence[str]) -> None:
    """Refuse to make a store of other images in the place of a finished one, which would be lost.

    Parameters
    ----------
    path : Path
        Where the store will be; it need not exist.
    ids : sequence of str
        Its images.

    Raises
    ------
    EvenhandError
        If a store is there, and holds none of them; or it is damaged.
    """
    if not (path / CARD).is_file():
        return
    try:
        kept = [read_parquet(path / name)["id"].to_pylist() for name in (ROWS, SKIPPED)]
    except (OSError, KeyError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    before = [name for names in kept for name in names]
    if before and not set(before) & set(ids):
        raise EvenhandError(
            f"out: {path} is a store of other images, such as {before[0]!r}, which would be lost; name "
            "another "
            "folder, or delete that one"
        )


def read_thumbnails(path: PathLike, rows: Ints) -> list[bytes]:
    """Return the JPEG bytes of rows by number; an empty list when the store keeps none.

    Raises
    ------
    EvenhandError
        If the folder is not a finished store or a shard cannot be read.
    """
    path = Path(path)
    card = read_card(path)
    if not any(thumbnails_name(part) in card.files for part in range(len(card.parts))):
        return []
    ends = np.cumsum(card.parts)
    found: dict[int, bytes] = {}
    try:
        for part in np.unique(np.searchsorted(ends, rows, side="right")).tolist():
            shard = read_parquet(path / thumbnails_name(part))["jpeg"]
            start = int(ends[part]) - card.parts[part]
            found |= {int(row): shard[int(row) - start].as_py() for row in rows if start <= row < ends[part]}
    except (OSError, LookupError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    return [found[int(row)] for row in rows]


def _unreadable(path: Path, error: Exception) -> EvenhandError:
    return EvenhandError(f"store {path} cannot be read ({' '.join(str(error).split())}); make it again")


def _head(path: Path, card: StoreCard) -> Head:
    tensors, _ = read_tensors(path / HEAD)
    weight, bias, text, features = (
        tensors.pop(name, None) for name in ("weight", "bias", "text", "word_features")
    )
    words = tuple(card.identity.get("words", ()))
    classes = tuple(card.head.classes)
    if len(set(classes)) < max(2, len(classes)):
        raise ValueError(f"{CARD} has the classes {some(classes)}, not two or more different names")
    if tensors and set(tensors) != set(POOL):
        raise ValueError(f"{HEAD} holds {', '.join(sorted(tensors))}, which this version does not know")
    if weight is None or weight.ndim != 2 or projected_width({"weight": weight, **tensors}) != card.width:
        raise ValueError(f"{HEAD} holds no projection of features of width {card.width}")
    if bias is not None and bias.shape != weight.shape[1:]:
        raise ValueError(f"{HEAD} holds a bias of shape {bias.shape} for a weight of {weight.shape}")
    if text is not None and text.shape != (len(classes), weight.shape[1]):
        raise ValueError(f"{HEAD} holds text of shape {text.shape} for {len(classes)} classes")
    if features is not None and features.shape != (len(words), weight.shape[1]):
        raise ValueError(f"{HEAD} holds word features of shape {features.shape} for {len(words)} words")
    return Head(
        weight, bias, classes, text, card.head.logit_scale, card.head.prompts, tensors, words, features
    )


def _strings(rows: pa.Table, name: str) -> Strings:
    column = rows[name]
    if column.type != pa.string() or column.null_count:
        raise ValueError(f"{ROWS} holds {column.type} in {name}, not strings")
    values: Strings = np.array(column.to_pylist(), dtype=np.str_)
    return values
