"""What a source lists, before labels become codes and splits are made."""

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
    """What the user says of a source; the fields are parameters of `Manifest.read`, which explains them.

    With `complete` a row without a label is an error.
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
    """Rows as strings: `labels` and `splits` hold "" where nothing is known, `splits` is None without any.

    `units` names what is never to be divided by a split that is drawn, as patients; None without any.
    `others` are columns that make no groups.
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
        """Absolute paths, or addresses."""
        return np.asarray([path_in(self.root, name) for name in self.ids.tolist()], dtype=np.str_)


def path_in(root: Path, name: str) -> str:
    """Return where an image is: below the root, unless its name is absolute or an address."""
    if name.partition("/")[0] in SCHEMES:
        return address(Path(name))
    path = os.path.normpath(root / name)
    return path if root.is_absolute() else address(Path(path))


def refuse(argument: str, value: str, why: str, advice: str = "leave it out") -> NoReturn:
    """Refuse an option that would have no effect.

    Raises
    ------
    EvenhandError
        Always.
    """
    raise EvenhandError(f"{argument}: {value!r} cannot be read, {why}; {advice}")
