"""Your own embeddings as a store, with an identity projection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand._files import file_sha256
from evenhand._outputs import keep_apart
from evenhand._typing import Floats, Ints, PathLike, Strings
from evenhand.data.arrays.read import FeatureRows, feature_files, file_and_name, read_arrays
from evenhand.data.arrays.scale import odd_scale
from evenhand.data.attributes import divided
from evenhand.data.class_order import MOST_CLASSES, order_warning
from evenhand.data.embedding_rows import attribute_rows, named_codes, row_ids, rows_beside, split_of_rows
from evenhand.data.head import Head
from evenhand.data.known_words import read_known_words, unit_rows
from evenhand.data.labels import class_notes
from evenhand.data.settle_copies import KnownCopies
from evenhand.data.split_notes import check_splits
from evenhand.data.store import load_store
from evenhand.data.store_layout import OTHERS, UNITS, others_identity
from evenhand.data.store_write import StoreWriter
from evenhand.data.table import FeatureTable

PART_ROWS = 16_384
ROWS_OF_ORDER = 100_000
"""Rows by which the order of the text features is evaluated."""


def import_embeddings(
    features: Sequence[PathLike],
    table: PathLike | None,
    *,
    label_column: str,
    attribute_columns: Sequence[str] = (),
    split_column: str = "split",
    text_features: PathLike | None = None,
    vocabulary: PathLike | None = None,
    vocabulary_features: PathLike | None = None,
    class_names: Mapping[str, str] | None = None,
    out: PathLike,
    seed: int = 0,
    id_column: str | None = None,
    split_by: str | None = None,
    split_file: PathLike | None = None,
) -> FeatureTable:
    """Make a store from `.npy` features and a table with one row per feature row.

    The same call resumes an interrupted import, and on a finished one verifies it.

    Parameters
    ----------
    features : sequence of str or Path
        Parts [n_k, D] of numbers: `.npy`, `.npz`, `.pt`, `.safetensors`, or a `.parquet` file with a column
        of lists or a column per dimension, each followed by `:NAME` where it holds several; or
        clip-retrieval's folder with `img_emb/*.npy` and `metadata/*.parquet`. Float16 stays so if all parts
        are, float32 else.
    table : str, Path or None
        CSV, TSV, Parquet or JSON lines; None reads clip-retrieval's metadata, or the other columns of
        `.parquet` features.
    label_column : str
        Column of the labels.
    attribute_columns : sequence of str, default=()
        Columns that make groups.
    split_column : str, default="split"
        Column of the splits. Without it, splits are drawn by class. All other columns are kept
        for audits where values recur or can be cut at quartiles.
    text_features : str or Path, optional
        A file of such numbers [C, D], a row per class in the order of the classes.
    vocabulary, vocabulary_features : str or Path, optional
        A text file with one word per line, and a file of such numbers [V, D], a row per word, by the text
        tower that made `text_features`: the words of `audit` and `report`.
    class_names : mapping of str to str, optional
        New names for labels. The classes are in sorted order of the labels, whole numbers by value; a mapping
        that names every label gives the order instead.
    out : str or Path
        Folder of the store.
    seed : int, default=0
        Seed of drawn splits.
    id_column : str, optional
        By default `id` or `image_path` where there is one, row numbers from 0 otherwise.
    split_by : str, optional
        Column of ids, such as patients; where splits are drawn, the rows of an id get the same split.
    split_file : str or Path, optional
        A table of row ids and splits, which is then used in place of a column.

    Returns
    -------
    FeatureTable
        Read from `out`; its head projects by the identity, and has no text without `text_features`.

    Raises
    ------
    EvenhandError
        If a file cannot be read; widths, row counts or columns do not fit; a value is not finite; ids come
        twice; a label or an id is missing; there is one class, or one without training rows; or `out` cannot
        be written, holds something else, or is an input or inside one.
    """
    sources = [Path(path) for path in features]
    keep_apart(Path(out), [*sources, table, text_features, vocabulary, vocabulary_features])
    files = feature_files(sources, argument="features")
    parts = read_arrays(files, argument="features")
    width, n = int(parts[0].shape[1]), sum(len(part) for part in parts)
    columns = rows_beside(sources, None if table is None else Path(table))
    if len(columns) != n:
        raise EvenhandError(
            f"the table {columns.path} has {number_of(len(columns), 'row')} but the features have {n:,}; "
            "give one table row per feature row"
        )
    labels = columns.filled(label_column, argument="label_column")
    classes, y = named_codes(labels, class_names or {})
    ids = row_ids(columns, id_column)
    file = None if split_file is None else Path(split_file)
    split, units, notes, drawn = split_of_rows(
        columns, split_column, y, seed, ids=ids, split_by=split_by, split_file=file
    )
    taken = {label_column, split_column, split_by, id_column}
    listed = attribute_rows(columns, attribute_columns, taken)
    attributes, others, of_attributes = divided(listed, labels, attribute_columns)
    untested = check_splits(classes, y, split)
    rows = {
        "id": ids,
        "path": np.full(n, ""),
        "label": np.asarray(classes)[y],
        "split": split,
        **attributes,
        **({} if units is None else {UNITS: units}),
    }
    text_file = None if text_features is None else Path(text_features)
    text = None if text_file is None else _text(text_file, classes, width)
    words, word_features = _words(vocabulary, vocabulary_features, width, text_file)
    notes += _of_scale(parts)
    if text is not None:
        notes += _of_order(parts, text, y, classes) + _of_same_text(text, classes)
    identity: dict[str, Any] = {
        "family": "import",
        "model": None,
        "features_sha256": [_content_hash(path) for path in files],
        "text_sha256": None if text_file is None else _content_hash(text_file),
        "rows_sha256": _hash(rows),
        **others_identity(others),
        "classes": list(classes),
        "part_rows": PART_ROWS,
        "notes": [*notes, *of_attributes, *untested, *class_notes(classes)],
        **({} if split_by is None else {"split_by": split_by}),
        **({} if word_features is None else {"words": list(words), "words_sha256": _hash_of(word_features)}),
    }
    dtype = "float16" if all(part.dtype == np.float16 for part in parts) else "float32"
    head = Head(
        np.eye(width, dtype=np.float32), None, classes, text, words=words, word_features=word_features
    )
    with StoreWriter(Path(out), identity=identity, head=head, width=width, dtype=dtype, images=n) as writer:
        if not writer.finished:
            # An interrupted store that an earlier version began goes on without the other columns.
            rows |= {name: others[name] for name in writer.identity.get(OTHERS, {})}
            _write(writer, parts, rows, KnownCopies(drawn=drawn))
    return replace(load_store(out), notes=tuple(writer.notes))


def read_features(paths: Sequence[Path]) -> list[FeatureRows]:
    """Return finite parts [n_k, D] of one width, of files or clip-retrieval's folders.

    Raises
    ------
    EvenhandError
        If a file cannot be read, holds something else, or widths differ.
    """
    return read_arrays(feature_files(paths, argument="features"), argument="features")


def _text(path: Path, classes: Sequence[str], width: int) -> Floats:
    named = f": {', '.join(classes[:10])}"
    return unit_rows(path, (len(classes), width), "text_features", "class", named)


def _words(
    vocabulary: PathLike | None, features: PathLike | None, width: int, text: Path | None
) -> tuple[tuple[str, ...], Floats | None]:
    if vocabulary is None and features is None:
        return (), None
    if vocabulary is None or features is None or text is None:
        raise EvenhandError(
            "vocabulary: words need `vocabulary`, `vocabulary_features` and `text_features`, all of one text "
            "tower; give all three or no words"
        )
    return read_known_words(Path(vocabulary), Path(features), width)


def _write(
    writer: StoreWriter, parts: Sequence[FeatureRows], rows: Mapping[str, Strings], known: KnownCopies
) -> None:
    for number, (start, block) in enumerate(_blocks(parts)):
        if number >= writer.parts_done:
            inside = slice(start, start + len(block))
            writer.write_part(block, {name: values[inside] for name, values in rows.items()})
    writer.finish(known)


def _blocks(parts: Sequence[FeatureRows]) -> Iterator[tuple[int, Floats]]:
    """Yield first row and features of pieces small enough for memory."""
    first = 0
    for part in parts:
        for start in range(0, len(part), PART_ROWS):
            yield first + start, part[start : start + PART_ROWS]
        first += len(part)


def _of_order(parts: Sequence[FeatureRows], text: Floats, y: Ints, classes: Sequence[str]) -> list[str]:
    """Return what the labels say of the order of the text features, on the first rows."""
    if len(classes) > MOST_CLASSES:
        return []
    predicted = [np.zeros(0, dtype=np.int64)]
    for start, block in _blocks(parts):
        if start >= ROWS_OF_ORDER:
            break
        lengths = np.abs(block.astype(np.float64)).max(axis=1, keepdims=True)
        rows = (block / np.where(lengths > 0, lengths, 1)).astype(np.float32)
        predicted.append((rows @ text.T).argmax(axis=1))
    found = np.concatenate(predicted)
    told = order_warning(found, y[: len(found)], classes)
    return [] if told is None else [told]


def _of_same_text(text: Floats, classes: Sequence[str]) -> list[str]:
    first: dict[bytes, str] = {}
    for name, row in zip(classes, text, strict=True):
        other = first.setdefault(row.astype(np.float16).tobytes(), name)
        if other != name:
            return [f"the text features of {other!r} and {name!r} are the same: words cannot tell them apart"]
    return []


def _of_scale(parts: Sequence[FeatureRows]) -> list[str]:
    """Return what is odd about the length of rows: none at all, or past what can be computed with."""
    largest, empty = 0.0, 0
    for _, block in _blocks(parts):
        lengths = np.abs(block.astype(np.float64)).max(axis=1)
        largest, empty = max(largest, float(lengths.max())), empty + int((lengths == 0).sum())
    notes = [] if (odd := odd_scale(largest)) is None else [f"{odd}; as they are, audit and fit refuse them"]
    if empty:
        zeros = number_of(empty, "row of the features is", "rows of the features are")
        notes.append(f"{zeros} all zeros: predictions there mean nothing")
    return notes


def _content_hash(path: Path) -> str:
    file, name = file_and_name(path)
    return file_sha256(file) if name is None else f"{file_sha256(file)}:{name}"


def _hash_of(values: Floats) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()


def _hash(rows: Mapping[str, Strings]) -> str:
    digest = hashlib.sha256()
    for name, values in rows.items():
        digest.update("\0".join([name, *values.tolist()]).encode() + b"\n")
    return digest.hexdigest()
