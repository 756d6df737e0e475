"""What an actor of a cluster does: hold the trunk, take a block of pictures through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from evenhand._errors import EvenhandError
from evenhand._optional import optional
from evenhand._version import __version__
from evenhand.backbones.base import Backbone
from evenhand.extract.engine import Embedded, through_trunk
from evenhand.extract.loading import load_by_threads

_LOST = pa.struct([("row", pa.int64()), ("reason", pa.string())])
_MADE = pa.schema(
    [
        ("batch", pa.int64()),
        ("read", pa.list_(pa.int64())),
        ("features", pa.binary()),
        ("thumbnails", pa.list_(pa.binary())),
        ("lost", pa.list_(_LOST)),
        ("error", pa.string()),
    ]
)
"""One row for each batch: `features` are the bytes of the array, `error` ends the run where there is one."""


@dataclass(frozen=True)
class Task:
    """What is the same for every block of a run.

    Attributes
    ----------
    backbone : object reference
        Of the driver's backbone, which travels to each machine once.
    version : str
        Of the driver's evenhand.
    device : "cpu" or "cuda"
        Where the trunk runs.
    threads, readers : int
        Of the trunk, where it runs on a CPU; that read pictures.
    dtype, thumbnails
        As for an `Engine`.
    """

    backbone: Any
    version: str
    device: str
    threads: int
    readers: int
    dtype: str
    thumbnails: bool


class Trunk:
    """An actor's callable, table of pictures in, rows of `_MADE` out.

    Expected failures are data: as exceptions the cluster would take them for its own and try again.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._backbone: Backbone | None = None

    def __call__(self, pictures: pa.Table) -> Iterator[pa.Table]:
        """Yield what becomes of each batch among `pictures`, whose columns are `batch`, `row` and `path`."""
        try:
            if self._backbone is None:
                self._backbone = _placed(self._task)
            yield from _embedded(pictures, self._backbone, self._task)
        except EvenhandError as error:
            yield _table(error=str(error))


def block(paths: Any, batches: list[tuple[int, range]]) -> pa.Table:
    """Return the pictures of numbered batches as the table that `Trunk` takes."""
    rows = [row for _, batch in batches for row in batch]
    return pa.table(
        {
            "batch": pa.array([number for number, batch in batches for _ in batch], pa.int64()),
            "row": pa.array(rows, pa.int64()),
            "path": pa.array([str(paths[row]) for row in rows], pa.string()),
        }
    )


def unpacked(made: pa.Table, *, width: int, dtype: str) -> Iterator[tuple[int, Embedded]]:
    """Yield batch numbers and what became of them.

    Raises
    ------
    EvenhandError
        If a worker told of one.
    """
    for row in made.to_pylist():
        if row["error"] is not None:
            raise EvenhandError(row["error"])
        features = np.frombuffer(row["features"], dtype=dtype).reshape(len(row["read"]), width)
        lost = [(found["row"], found["reason"]) for found in row["lost"]]
        yield row["batch"], Embedded(features, row["read"], row["thumbnails"], lost)


def _placed(task: Task) -> Backbone:
    """Return the driver's backbone on this actor's device."""
    import torch

    if task.version != __version__:
        raise EvenhandError(
            f"a worker of the cluster has evenhand {__version__}, but this is {task.version}; install the "
            "same version on every machine"
        )
    backbone: Any = optional("ray", "ray").get(task.backbone)
    if task.device == "cpu":
        torch.set_num_threads(task.threads)
    elif hasattr(backbone, "to"):
        backbone.to(task.device)
    else:
        raise EvenhandError(
            f"the model {backbone.name} cannot move to a GPU, as it has no method `to`; use --device cpu"
        )
    placed: Backbone = backbone
    return placed


def _embedded(pictures: pa.Table, backbone: Backbone, task: Task) -> Iterator[pa.Table]:
    rows, paths = pictures["row"].to_pylist(), pictures["path"].to_pylist()
    numbers = pictures["batch"].to_numpy()
    starts = np.flatnonzero(np.diff(numbers, prepend=-1)).tolist()
    batches = [range(start, stop) for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True)]
    loaded = load_by_threads(
        paths, backbone.preprocess, batches, workers=task.readers, thumbnails=task.thumbnails
    )
    for start, batch in zip(starts, loaded, strict=True):
        made = through_trunk(batch, backbone, task.dtype, paths)
        yield _table(
            batch=int(numbers[start]),
            read=[rows[k] for k in made.read],
            features=made.features.tobytes(),
            thumbnails=made.thumbnails,
            lost=[{"row": rows[k], "reason": reason} for k, reason in made.unreadable],
        )


def _table(**row: Any) -> pa.Table:
    return pa.Table.from_pylist([row], schema=_MADE)
