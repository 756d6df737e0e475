"""Reading a store: verified, memory-mapped, refused in one sentence when it is not what its card says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file

from evenhand._errors import EvenhandError
from evenhand._files import sha256
from evenhand._typing import Floats, Ints, Strings
from evenhand.data.head import Head
from evenhand.data.store_layout import (
    HEAD,
    ROWS,
    SKIPPED,
    StoreCard,
    features_name,
    read_card,
    thumbnails_name,
)
from evenhand.data.table import FeatureTable


def read_store(path: Path, *, verify: bool = True) -> FeatureTable:
    """Read a finished store.

    Parameters
    ----------
    path : Path
        Its folder.
    verify : bool
        Whether to check the SHA-256 of every file.

    Raises
    ------
    EvenhandError
        If the folder is no store, is unfinished, or a file is missing, changed or does not fit the card.
    """
    card = read_card(path)
    if verify:
        _verify(path, card)
    try:
        rows = pq.read_table(path / ROWS)
        head = _head(path, card)
        parts = [_part(path, card, part) for part in range(len(card.parts))]
        codes = {name: code for code, name in enumerate(head.classes)}
        y: Ints = np.array([codes[name] for name in rows["label"].to_pylist()], dtype=np.int64)
    except (OSError, ValueError, KeyError, pa.ArrowException, SafetensorError) as error:
        raise EvenhandError(
            f"store {path} cannot be read ({' '.join(str(error).split())}); make it again"
        ) from error
    return FeatureTable(
        parts=parts,
        y=y,
        split=_strings(rows, "split"),
        ids=_strings(rows, "id"),
        paths=_strings(rows, "path"),
        attributes={name: _strings(rows, name) for name in card.attributes},
        head=head,
        card=card.identity,
        source=path,
    )


def read_skipped(path: Path) -> pa.Table:
    """Return the rows that were not embedded: id, path, reason."""
    return pq.read_table(path / SKIPPED)


def read_thumbnails(path: Path, rows: Ints) -> list[bytes]:
    """Return the JPEG bytes of rows by number; an empty list when the store keeps none."""
    card = read_card(path)
    if thumbnails_name(0) not in card.files:
        return []
    shards = [pq.read_table(path / thumbnails_name(part))["jpeg"] for part in range(len(card.parts))]
    joined = pa.chunked_array([chunk for shard in shards for chunk in shard.chunks], type=pa.binary())
    return [value.as_py() for value in joined.take(pa.array(rows))]


def _verify(path: Path, card: StoreCard) -> None:
    for name, expected in card.files.items():
        file = path / name
        if not file.resolve().is_relative_to(path.resolve()) or not file.is_file():
            raise EvenhandError(f"store {path} lacks the file {name}; make the store again")
        if sha256(file) != expected:
            raise EvenhandError(f"{file} was changed since the store was made; make the store again")


def _head(path: Path, card: StoreCard) -> Head:
    tensors = load_file(path / HEAD)
    return Head(
        tensors["weight"],
        tensors.get("bias"),
        tuple(card.head.classes),
        tensors.get("text"),
        card.head.logit_scale,
        card.head.prompts,
    )


def _part(path: Path, card: StoreCard, part: int) -> Floats:
    features: Floats = np.load(path / features_name(part), mmap_mode="r", allow_pickle=False)
    if features.shape != (card.parts[part], card.width) or features.dtype != card.dtype:
        raise ValueError(
            f"{features_name(part)} holds {features.dtype} {features.shape}, not what the card says"
        )
    return features


def _strings(rows: pa.Table, name: str) -> Strings:
    values: Strings = np.array(rows[name].to_pylist(), dtype=np.str_)
    return values
