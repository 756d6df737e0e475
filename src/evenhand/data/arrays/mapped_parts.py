"""The feature files of a store, mapped when they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

from evenhand._typing import Floats
from evenhand.data.arrays.npy import map_npy

OPEN = 256
"""Files mapped at a time. Each takes a file descriptor, and a process has 1,024 by default."""


class MappedParts(Sequence[Floats]):
    """Arrays [n_k, D] of `.npy` files; the ones asked for last stay mapped.

    Parameters
    ----------
    paths : sequence of Path
        The files, in order.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self._open: OrderedDict[int, Floats] = OrderedDict()

    def check(self, shapes: Sequence[tuple[int, int]], dtype: str) -> None:
        """Refuse arrays of other shapes than [(n_k, D)], or of another type.

        Raises
        ------
        ValueError
            If one is.
        """
        for path, features, shape in zip(self.paths, self, shapes, strict=True):
            if features.shape != shape or features.dtype != dtype:
                raise ValueError(
                    f"{path.name} holds {features.dtype} {features.shape}, not what the card says"
                )

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, part: int) -> Floats: ...

    @overload
    def __getitem__(self, part: slice) -> Sequence[Floats]: ...

    def __getitem__(self, part: int | slice) -> Floats | Sequence[Floats]:
        if isinstance(part, slice):
            return MappedParts(self.paths[part])
        found = self._open.pop(part, None)
        if found is None:
            found = map_npy(self.paths[part])
        self._open[part] = found
        if len(self._open) > OPEN:
            self._open.popitem(last=False)
        return found

    def __getstate__(self) -> dict[str, Any]:
        # What another process gets: it maps the files anew, where pickled maps would be copies.
        return {"paths": self.paths, "_open": OrderedDict()}
