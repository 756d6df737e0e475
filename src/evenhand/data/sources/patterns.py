"""Patterns that stand for several files, such as `train-{000..012}.tar` or `{a,b}.tar` in WebDataset."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from evenhand._errors import EvenhandError
from evenhand.data.files import address, is_file, is_remote

MOST = 100_000
"""Largest number of files that a pattern may stand for."""
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def matching(path: Path) -> list[Path]:
    """Return the files that a pattern stands for, in its order; an empty list for any other path.

    Parameters
    ----------
    path : Path
        Braces hold a range or a list. On this machine, `*` stands for any text and `?` for any character.

    Raises
    ------
    EvenhandError
        If one of the files does not exist, no file matches, or the pattern stands for more than `MOST`.
    """
    if is_file(path):
        return []
    text = path.as_posix()
    if _BRACES.search(text):
        files = [Path(name) for name in _expanded(text)]
        missing = next((file for file in files if not is_file(file)), None)
        if missing is not None:
            raise EvenhandError(
                f"{address(path)} stands for {len(files)} files, but {address(missing)} does not exist; "
                "correct the pattern or add the file"
            )
        return files
    if re.search(r"[*?]", text) and not is_remote(path):
        root = Path(path.anchor)
        files = sorted(found for found in root.glob(str(path.relative_to(root))) if found.is_file())
        if not files:
            raise EvenhandError(f"no file matches {path}; correct the pattern")
        return files
    return []


def common_folder(files: Sequence[Path]) -> Path:
    """Return the deepest folder that all files are in."""
    shared = [parts[0] for parts in zip(*(file.parent.parts for file in files)) if len(set(parts)) == 1]  # noqa: B905
    return Path(*shared)


def _expanded(text: str) -> list[str]:
    """Return the texts that a pattern with braces stands for."""
    pieces = _BRACES.split(text)  # plain text at even positions, the content of braces at odd ones
    choices = [_choices(piece) if k % 2 else [piece] for k, piece in enumerate(pieces)]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MOST:
        raise EvenhandError(f"the pattern {text} stands for {count} files; give at most {MOST}")
    return ["".join(parts) for parts in product(*choices)]


def _choices(inside: str) -> list[str]:
    """Return what the content of a pair of braces stands for: the numbers of a range, or the list's texts."""
    bounds = _RANGE.fullmatch(inside)
    if bounds is None:
        return inside.split(",")
    first, last = bounds.groups()
    if int(last) - int(first) >= MOST:
        raise EvenhandError(f"the range {{{inside}}} stands for more than {MOST} files; give a shorter one")
    return [f"{number:0{len(first)}}" for number in range(int(first), int(last) + 1)]
