"""Feature arrays from `.npy` files and clip-retrieval's folders, memory-mapped and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import shorten

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Floats

_BLOCK = 16_384


def feature_files(paths: Sequence[Path], *, argument: str) -> list[Path]:
    """Return the `.npy` files that `paths` stand for, a folder standing for its `img_emb/*.npy`.

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


def read_arrays(files: Sequence[Path], *, argument: str) -> list[Floats]:
    """Return memory-mapped float parts [n_k, D] of one width, all finite in float32.

    Raises
    ------
    EvenhandError
        If a file cannot be read, is no 2-D array of floats, has no rows or columns, holds a value that is not
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


def _open(path: Path, argument: str) -> Floats:
    try:
        with np.errstate(over="ignore"):  # of a header that promises more than there is in the world
            part = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise EvenhandError(f"{argument}: {path} does not exist; give .npy files") from error
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or shorten(str(error), 200, placeholder=" …")
        # NumPy takes what it does not know for a pickle, and says how to load that.
        reason = (
            "it holds Python objects or no array" if "pickle" in reason or "objects" in reason else reason
        )
        raise EvenhandError(
            f"{argument}: {path} cannot be read as .npy ({reason}); save it with numpy.save"
        ) from error
    if not isinstance(part, np.ndarray):
        part.close()
        raise EvenhandError(f"{argument}: {path} is an archive of arrays; save the one array with numpy.save")
    if part.ndim != 2 or part.dtype.kind != "f" or not part.size:
        raise EvenhandError(
            f"{argument}: {path} holds {part.dtype} {list(part.shape)}; "
            "it must hold floats [rows, width], at least one row"
        )
    return part


def _check_finite(path: Path, part: Floats, argument: str) -> None:
    for start in range(0, len(part), _BLOCK):
        with np.errstate(over="ignore"):
            block = part[start : start + _BLOCK].astype(np.float32)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            raise EvenhandError(
                f"{argument}: {path} is not finite in row {start + int(finite.argmin()) + 1} of {len(part)}; "
                "mend the row or leave it out"
            )
