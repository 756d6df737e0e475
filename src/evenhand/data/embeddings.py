"""Your own embeddings as a store, with an identity projection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._files import sha256
from evenhand._typing import Floats, Ints, Strings
from evenhand.data.head import Head
from evenhand.data.splits import stratified_split
from evenhand.data.store import read_store
from evenhand.data.store_write import StoreWriter
from evenhand.data.table import FeatureTable
from evenhand.data.tables_in import Columns, read_columns

SPLITS = ("train", "validation", "test")


def import_embeddings(
    features: Sequence[Path],
    table: Path | None,
    *,
    label_column: str,
    attribute_columns: Sequence[str] = (),
    split_column: str | None = None,
    text_features: Path | None = None,
    class_names: Mapping[str, str] | None = None,
    out: Path,
    seed: int = 0,
    id_column: str | None = None,
) -> FeatureTable:
    """Make a store from `.npy` features and a table with one row per feature row.

    Parameters
    ----------
    features : sequence of Path
        `.npy` parts [n_k, D], or clip-retrieval's folder with `img_emb/*.npy` and `metadata/*.parquet`.
    table : Path or None
        CSV or Parquet; None reads clip-retrieval's metadata.
    label_column, attribute_columns, split_column, id_column : str
        Columns of the table. Without a split column a seeded stratified split is made; without an id column
        `id` is used where there is one, row numbers otherwise.
    text_features : Path, optional
        `.npy` [C, D], one row per class in the alphabetical order of the class names in the table.
    class_names : mapping, optional
        Label to name.
    out : Path
        Folder of the store.
    seed : int
        Of the split.

    Raises
    ------
    EvenhandError
        If files cannot be read, rows, widths or columns do not fit, values are not finite, ids come twice,
        or there are fewer than two classes, or one without training rows.
    """
    parts = [_checked(path, part) for path, part in zip(*_opened(features), strict=True)]
    width = _common_width(parts)
    columns = _columns(features, table)
    n = sum(len(part) for part in parts)
    if len(columns) != n:
        raise EvenhandError(f"the table has {len(columns)} rows but the features have {n}; they must match")
    labels = columns.get(label_column, argument="--label-column")
    classes, y = _classes(labels)
    split = _split(columns, split_column, y, seed)
    _check_training(classes, y, split)
    ids = _ids(columns, id_column, n)
    text = None if text_features is None else _text(text_features, classes, width)
    names = tuple((class_names or {}).get(name, name) for name in classes)
    head = Head(np.eye(width, dtype=np.float32), None, names, text)
    values = {
        "id": ids,
        "path": np.full(n, ""),
        "label": np.asarray(names)[y],
        "split": split,
        **{name: columns.get(name, argument="--attribute-columns") for name in attribute_columns},
    }
    dtype = "float16" if all(part.dtype == np.float16 for part in parts) else "float32"
    files = [*_files(features), *([] if text_features is None else [text_features])]
    identity: dict[str, Any] = {
        "family": "import",
        "features_sha256": [sha256(path) for path in files],
        "columns": [label_column, *attribute_columns, split_column or ""],
        "classes": list(names),
        "seed": seed,
        "rows": n,
    }
    _write(out, identity, head, width, dtype, parts, values)
    return read_store(out)


def read_features(paths: Sequence[Path]) -> list[Floats]:
    """Return memory-mapped, finite parts [n_k, D] of one width.

    Raises
    ------
    EvenhandError
        As `import_embeddings`.
    """
    parts = [_checked(path, part) for path, part in zip(*_opened(paths), strict=True)]
    _common_width(parts)
    return parts


def _write(
    out: Path,
    identity: dict[str, Any],
    head: Head,
    width: int,
    dtype: str,
    parts: list[Floats],
    values: dict[str, Strings],
) -> None:
    with StoreWriter(out, identity=identity, head=head, width=width, dtype=dtype) as writer:
        if writer.finished:
            return
        start = 0
        for number, part in enumerate(parts):
            if number >= writer.parts_done:
                rows = slice(start, start + len(part))
                writer.write_part(part, {name: column[rows] for name, column in values.items()})
            start += len(part)
        writer.finish()


def _files(features: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in features:
        if path.is_dir():
            # clip-retrieval numbers its parts without padding: 2 comes before 10.
            numbered = sorted((path / "img_emb").glob("*.npy"), key=_number)
            if not numbered:
                raise EvenhandError(
                    f"--features {path} has no img_emb/*.npy; give .npy files or clip-retrieval's folder"
                )
            found += numbered
        else:
            found.append(path)
    return found


def _number(path: Path) -> tuple[int, str]:
    digits = "".join(c for c in path.stem if c.isdigit())
    return int(digits or 0), path.stem


def _opened(features: Sequence[Path]) -> tuple[list[Path], list[Floats]]:
    paths = _files(features)
    arrays = []
    for path in paths:
        try:
            arrays.append(np.load(path, mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise EvenhandError(f"--features {path} cannot be read as .npy ({error})") from error
    return paths, arrays


def _checked(path: Path, part: Any) -> Floats:
    if (
        not isinstance(part, np.ndarray)
        or part.ndim != 2
        or part.dtype not in (np.float16, np.float32, np.float64)
    ):
        found = f"{getattr(part, 'dtype', type(part).__name__)} {getattr(part, 'shape', '')}"
        raise EvenhandError(f"--features {path} holds {found}; it must be a float array [rows, width]")
    for start in range(0, len(part), 65_536):
        finite = np.isfinite(part[start : start + 65_536]).all(axis=1)
        if not finite.all():
            raise EvenhandError(
                f"--features {path} is not finite in row {start + int(finite.argmin())}; mend or drop it"
            )
    return part


def _common_width(parts: Sequence[Floats]) -> int:
    widths = sorted({int(part.shape[1]) for part in parts})
    if len(widths) != 1:
        raise EvenhandError(f"--features parts have widths {widths}; all parts must have one width")
    return widths[0]


def _columns(features: Sequence[Path], table: Path | None) -> Columns:
    if table is not None:
        return read_columns(table)
    folders = [path / "metadata" for path in features if path.is_dir()]
    parts = [
        read_columns(path) for folder in folders for path in sorted(folder.glob("*.parquet"), key=_number)
    ]
    if not parts:
        raise EvenhandError(
            "--table is missing, and --features has no metadata/*.parquet; give a CSV or Parquet"
        )
    names = set.intersection(*(set(part.values) for part in parts))
    joined = {name: np.concatenate([part.values[name] for part in parts]) for name in sorted(names)}
    return Columns(folders[0], joined)


def _classes(labels: Strings) -> tuple[list[str], Ints]:
    empty = np.flatnonzero(labels == "")
    if len(empty):
        raise EvenhandError(f"row {int(empty[0])} of the table has no label; every row needs one")
    classes, y = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise EvenhandError(f"the table has {len(classes)} class; at least 2 classes are needed")
    return [str(name) for name in classes], y.astype(np.int64)


def _split(columns: Columns, column: str | None, y: Ints, seed: int) -> Strings:
    if column is None:
        return stratified_split(y, seed=seed)
    split = columns.get(column, argument="--split-column")
    unknown = sorted(set(split.tolist()) - set(SPLITS))
    if unknown:
        raise EvenhandError(f"--split-column {column} holds {unknown[0]!r}; it may hold {', '.join(SPLITS)}")
    return split


def _check_training(classes: Sequence[str], y: Ints, split: Strings) -> None:
    counts = np.bincount(y[split == "train"], minlength=len(classes))
    if (counts == 0).any():
        raise EvenhandError(
            f"class {classes[int(counts.argmin())]!r} has no training rows; add some or drop it"
        )


def _ids(columns: Columns, column: str | None, n: int) -> Strings:
    if column is None and "id" not in columns.values:
        return np.arange(n).astype(np.str_)
    ids = columns.get(column or "id", argument="--id-column")
    names, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise EvenhandError(
            f"id {str(names[int(counts.argmax())])!r} comes twice in the table; ids must be unique"
        )
    return ids


def _text(path: Path, classes: Sequence[str], width: int) -> Floats:
    (part,) = read_features([path])
    if part.shape != (len(classes), width):
        raise EvenhandError(
            f"--text-features {path} has shape {list(part.shape)}, but {len(classes)} classes of width {width}"
            f" need [{len(classes)}, {width}]; one row per class in the order {', '.join(classes[:5])}"
        )
    rows = np.asarray(part, dtype=np.float32)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if (norms == 0).any():
        raise EvenhandError(f"--text-features {path} has a row of zeros; every class needs a direction")
    return rows / norms
