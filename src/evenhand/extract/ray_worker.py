"""An actor of a cluster: it holds the trunk, and passes blocks of images through it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import torch

from evenhand._errors import EvenhandError
from evenhand._version import __version__
from evenhand.backbones.base import Backbone
from evenhand.data.images.pixel_limit import set_pixel_limit
from evenhand.extract.loading import REMOTE_READERS, Batch, load_by_threads
from evenhand.extract.trunk import Embedded, ImageReading, prepared_for, through_trunk


@dataclass(frozen=True)
class ActorSettings:
    """Settings that are the same for every block of a run.

    Attributes
    ----------
    version : str
        Version of the driver's evenhand.
    device : "cpu" or "cuda"
        Where the trunk runs.
    threads : int
        Threads of the trunk on a CPU.
    reading : ImageReading
        As for an `Engine`; by default `threads` threads read, or more for an object store.
    max_pixels : int or None
        Most pixels of an image; None for the usual limit.
    """

    version: str
    device: str
    threads: int
    reading: ImageReading
    max_pixels: int | None = None


@dataclass(frozen=True)
class Block:
    """Batches of images: their paths [n], the position of the first in the manifest, and the batches.

    Attributes
    ----------
    first : int
        Position of the first path among all paths.
    paths : list of str
        Paths of the images.
    batches : list of range
        Batches of positions in `paths`.
    """

    first: int
    paths: list[str]
    batches: list[range]


class Trunk:
    """The actor. `take` may run in several threads: one computes while the others read."""

    def __init__(self, backbone: Backbone, task: ActorSettings) -> None:
        self._backbone, self._task, self._computing = backbone, task, Lock()

    def ready(self) -> None:
        """Place the trunk on the device.

        Raises
        ------
        EvenhandError
            If this machine has another evenhand, or the backbone cannot move to a GPU.
        """
        backbone: Any = self._backbone
        if self._task.version != __version__:
            raise EvenhandError(
                f"a worker of the cluster has evenhand {__version__}, but this is {self._task.version}; "
                "install the same version on every machine"
            )
        set_pixel_limit(self._task.max_pixels)
        if self._task.device == "cpu":
            torch.set_num_threads(self._task.threads)
        elif hasattr(backbone, "to"):
            backbone.to(self._task.device)
        else:
            raise EvenhandError(
                f"the model {backbone.name} cannot move to a GPU, since it has no method to(); use "
                "`device='cpu'`"
            )

    def take(self, block: Block) -> list[Embedded]:
        """Return the result of each batch, with positions among all paths.

        Raises
        ------
        EvenhandError
            As `through_trunk`.
        """
        reading = self._task.reading
        images = prepared_for(self._backbone, block.paths, reading)
        usual = REMOTE_READERS if images.remote else self._task.threads
        loaded = load_by_threads(images, block.batches, reading.workers or usual)
        return [_placed(self._compute(batch), block.first) for batch in loaded]

    def _compute(self, batch: Batch) -> Embedded:
        with self._computing:
            return through_trunk(batch, self._backbone, self._task.reading.dtype)


def _placed(made: Embedded, first: int) -> Embedded:
    return replace(
        made,
        read=[first + k for k in made.read],
        unreadable=[(first + k, reason) for k, reason in made.unreadable],
    )
