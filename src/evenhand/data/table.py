"""The feature table: what every step after extraction works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._typing import Bools, Floats, Ints, Strings
from evenhand.data.head import Head


@dataclass(frozen=True)
class FeatureTable:
    """Frozen features with labels, splits and attributes, row by row.

    Attributes
    ----------
    parts : arrays [n_k, D_in], float16 or float32
        Features before the projection, memory-mapped where they come from a store; N = sum of n_k.
    y : int64 [N]
        Codes into `head.classes`.
    split : str [N]
        `train`, `validation` or `test`.
    ids : str [N]
        Unique row names.
    paths : str [N]
        Image paths, empty for imported features.
    attributes : dict of str to str [N]
        Raw attribute columns; the empty string means unknown.
    head : Head
        Pretrained projection and text prototypes.
    card : dict
        Provenance, as written in the store's `card.json`.
    source : Path or None
        The store's folder.
    """

    parts: Sequence[Floats]
    y: Ints
    split: Strings
    ids: Strings
    paths: Strings
    attributes: dict[str, Strings]
    head: Head
    card: dict[str, Any] = field(default_factory=dict)
    source: Path | None = None

    def __len__(self) -> int:
        return len(self.y)

    @property
    def width(self) -> int:
        """D_in."""
        return int(self.parts[0].shape[1])

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the codes."""
        return self.head.classes

    def rows(self, split: str) -> Ints:
        """Return the row numbers of one split."""
        return np.flatnonzero(self.split == split).astype(np.int64)

    def features(self, rows: Ints) -> Floats:
        """Return float32 [len(rows), D_in], gathered part by part so that no part is copied whole."""
        out = np.empty((len(rows), self.width), dtype=np.float32)
        start = 0
        for part in self.parts:
            inside: Bools = (rows >= start) & (rows < start + len(part))
            out[inside] = part[rows[inside] - start]
            start += len(part)
        return out

    def labels(self, rows: Ints) -> Strings:
        """Return the class names of `rows`."""
        return np.asarray(self.classes)[self.y[rows]]

    def groups(self, attribute: str, rows: Ints) -> Strings:
        """Return "class / attribute value" for `rows`; the empty string where the attribute is unknown."""
        values = self.attributes[attribute][rows]
        names = np.char.add(np.char.add(self.labels(rows), " / "), values)
        return np.where(values == "", "", names)
