"""Words with their text features, for imported embeddings whose text tower is elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Floats
from evenhand.data.arrays.read import read_arrays


def read_known_words(words: Path, features: Path, width: int) -> tuple[tuple[str, ...], Floats]:
    """Return words and their unit features, float32 [V, width].

    Parameters
    ----------
    words : Path
        UTF-8 text, one word per line.
    features : Path
        A file of numbers [V, width], a row per word.
    width : int
        D of the embeddings.

    Raises
    ------
    EvenhandError
        If a file cannot be read, a line is empty or comes twice, or the features do not fit.
    """
    try:
        lines = tuple(" ".join(line.split()) for line in words.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise EvenhandError(
            f"vocabulary: {words} cannot be read as UTF-8 text ({error}); give a file with one word per line"
        ) from error
    odd = next((k for k, line in enumerate(lines) if not line or line in lines[:k]), None)
    if odd is not None or not lines:
        line = 0 if odd is None else odd
        raise EvenhandError(
            f"vocabulary: line {line + 1} of {words} is empty or repeats a word; give one word per line, "
            "each with its row of `vocabulary_features`"
        )
    return lines, unit_rows(features, (len(lines), width), "vocabulary_features", "word")


def unit_rows(path: Path, shape: tuple[int, int], argument: str, what: str, more: str = "") -> Floats:
    """Return the rows of a file of numbers divided by their lengths, float32.

    Parameters
    ----------
    path : Path
        The file.
    shape : (int, int)
        What it must have.
    argument : str
        The argument that errors name.
    what : str
        What has a row, as `class`.
    more : str, default=""
        What an error about the shape adds.

    Raises
    ------
    EvenhandError
        If the file cannot be read, has another shape, or a row of zeros.
    """
    (part,) = read_arrays([path], argument=argument)
    if part.shape != shape:
        raise EvenhandError(
            f"{argument}: {path} has shape {list(part.shape)}, but it must be {list(shape)}, "
            f"a row per {what}{more}"
        )
    rows = np.asarray(part[:], dtype=np.float32)
    largest = np.abs(rows).max(axis=1, keepdims=True)
    if (largest == 0).any():
        raise EvenhandError(
            f"{argument}: {path} is all zeros in row {int(largest.argmin()) + 1}; "
            f"every {what} needs a direction"
        )
    # By a power of two first: that changes no bit of a usual row, and squares of large ones would overflow.
    rows = np.ldexp(rows, -np.frexp(largest)[1])
    unit: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
