"""The list of images that a source gives, before labels become codes and splits are drawn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.files import SCHEMES, address


@dataclass(frozen=True)
class Options:
    """What the user says of a source. `Manifest.read` explains the fields, which are parameters of it.

    If `complete` is set, a row without a label is an error.
    """

    label: str = "label"
    attributes: Sequence[str] | None = None
    split: str = "split"
    labeled: bool = True
    path: str | None = None
    root: Path | None = None
    layout: str | None = None
    split_by: str | None = None
    complete: bool = True


@dataclass(frozen=True)
class Listing:
    """N images, row by row, with all values as strings. The empty string means unknown.

    Attributes
    ----------
    root : Path
        The folder that ids are relative to.
    ids : str [N]
        Paths relative to `root`, with forward slashes.
    labels : str [N]
        Labels as the source writes them.
    splits : str [N] or None
        Splits as the source writes them; None if it has none.
    attributes : dict of str to str [N]
        Columns that make groups.
    notes : tuple of str
        What the user should know, one sentence each.
    units : str [N], optional
        What a random split never divides, such as patients.
    others : dict of str to str [N]
        Columns that make no groups.
    """

    root: Path
    ids: Strings
    labels: Strings
    splits: Strings | None
    attributes: dict[str, Strings] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    units: Strings | None = None
    others: dict[str, Strings] = field(default_factory=dict)

    @cached_property
    def paths(self) -> Strings:
        """Absolute paths or addresses, str [N]."""
        return np.asarray([path_in(self.root, name) for name in self.ids.tolist()], dtype=np.str_)


def path_in(root: Path, name: str) -> str:
    """Return the path of an image: below `root`, unless its name is an absolute path or an address."""
    if name.partition("/")[0] in SCHEMES:
        return address(Path(name))
    path = os.path.normpath(root / name)
    return path if root.is_absolute() else address(Path(path))


def refuse(argument: str, value: str, why: str, advice: str = "leave it out") -> NoReturn:
    """Refuse an option that does not apply to the source.

    Raises
    ------
    EvenhandError
        Always.
    """
    raise EvenhandError(f"{argument}: {value!r} cannot be read, {why}; {advice}")
