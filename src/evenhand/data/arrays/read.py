"""Feature arrays from files and clip-retrieval's folders, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any, Protocol

import numpy as np

from evenhand._errors import EvenhandError
from evenhand.data.arrays.formats import READERS, read_matrix
from evenhand.data.arrays.npy import NpyRows

_BLOCK = 16_384


class FeatureRows(Protocol):
    """Rows of numbers [n, D], in memory or in a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and width."""
        ...

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        ...

    @property
    def size(self) -> int:
        """How many numbers there are."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice) -> Any: ...


def feature_files(paths: Sequence[Path], *, argument: str) -> list[Path]:
    """Return the files that `paths` stand for, a folder standing for its `img_emb/*.npy`.

    Raises
    ------
    EvenhandError
        If there are none, or a folder has none.
    """
    if not paths:
        raise EvenhandError(f"{argument} is empty; give .npy files or clip-retrieval's folder")
    found: list[Path] = []
    for path in paths:
        files = in_part_order((path / "img_emb").glob("*.npy")) if path.is_dir() else [path]
        if not files:
            raise EvenhandError(
                f"{argument}: {path} has no img_emb/*.npy; give .npy files or clip-retrieval's folder"
            )
        found += files
    return found


def in_part_order(paths: Iterable[Path]) -> list[Path]:
    """Return files by the number at the end of their names: clip-retrieval does not always pad them."""
    return sorted(paths, key=_number)


def _number(path: Path) -> tuple[int, str]:
    digits = re.search(r"(\d+)$", path.stem)
    return int(digits.group()) if digits else -1, path.name


def file_and_name(path: Path) -> tuple[Path, str | None]:
    """Return the file, and the name of the array in it where the path ends in `:NAME`."""
    file, colon, name = str(path).rpartition(":")
    if not colon or path.exists() or Path(file).suffix.lower() not in READERS:
        return path, None
    return Path(file), name


def read_arrays(files: Sequence[Path], *, argument: str) -> list[FeatureRows]:
    """Return parts [n_k, D] of one width, all finite in float32; `.npy` files are read as they are used.

    Raises
    ------
    EvenhandError
        If a file cannot be read, holds no rows of numbers, has no rows or columns, holds a value that is not
        finite (the first such row is named), or widths differ.
    """
    parts = [_open(path, argument) for path in files]
    for path, part in zip(files, parts, strict=True):
        if part.shape[1] != parts[0].shape[1]:
            raise EvenhandError(
                f"{argument}: {path} has width {part.shape[1]} but {files[0]} has {parts[0].shape[1]}; "
                "all parts must come from one model"
            )
        _check_finite(path, part, argument)
    return parts


def _open(path: Path, argument: str) -> FeatureRows:
    file, name = file_and_name(path)
    other = file.suffix.lower() in READERS
    if not other and file.is_file() and not _is_npy(file):
        raise EvenhandError(
            f"{argument}: {path} is not a NumPy array; give .npy files or one of {', '.join(READERS)}"
        )
    try:
        part: FeatureRows = read_matrix(file, name) if other else NpyRows.open(file)
    except FileNotFoundError as error:
        raise EvenhandError(
            f"{argument}: {path} does not exist; give .npy files or one of {', '.join(READERS)}"
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or shorten(str(error), 300, placeholder=" …")
        # NumPy takes what it does not know for a pickle, and says how to load that.
        reason = (
            "it holds Python objects or no array" if "pickle" in reason or "objects" in reason else reason
        )
        remedy = "repair it, or save the array with numpy.save" if other else "save it with numpy.save"
        raise EvenhandError(
            f"{argument}: {path} cannot be read as {file.suffix.lower() if other else '.npy'} ({reason}); "
            f"{remedy}"
        ) from error
    if part.ndim != 2 or part.dtype.kind not in "fiu" or not part.size:
        raise EvenhandError(
            f"{argument}: {path} holds {part.dtype} {list(part.shape)}; "
            "it must hold numbers [rows, width], at least one row"
        )
    return part


def _is_npy(file: Path) -> bool:
    """Tell whether a file that is not called .npy is one all the same."""
    if file.suffix.lower() == ".npy":
        return True
    with file.open("rb") as stream:
        return stream.read(6) == b"\x93NUMPY"


def _check_finite(path: Path, part: FeatureRows, argument: str) -> None:
    for start in range(0, len(part), _BLOCK):
        with np.errstate(over="ignore"):
            block = part[start : start + _BLOCK].astype(np.float32)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            raise EvenhandError(
                f"{argument}: {path} is not finite in row {start + int(finite.argmin()) + 1} of {len(part)}; "
                "fix the row or leave it out"
            )
