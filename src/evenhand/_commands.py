"""Paths in commands that are suggested, ready to be pasted into a shell."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def beside(folder: Path, suffix: str) -> Path:
    """Return a name for what is made from `folder`: birds.run or birds.html from birds.store."""
    name = folder.name.removesuffix(".store").removesuffix(".run").removesuffix(".compare")
    return folder.with_name(f"{name or 'my'}{suffix}")


def as_typed() -> str | None:
    """Return the command of this process as it was typed; None if it is not evenhand's."""
    return shlex.join(["evenhand", *sys.argv[1:]]) if Path(sys.argv[0]).name == "evenhand" else None


def as_argument(path: Path) -> str:
    """Return a path as an argument: one that looks like an option is led by its folder."""
    text = str(path)
    return f"./{text}" if text.startswith("-") else text
