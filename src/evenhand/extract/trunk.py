"""Pass batches of images through a trunk, on this machine or on a cluster."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Strings
from evenhand.backbones.base import Backbone
from evenhand.extract.loading import Batch, load_batches
from evenhand.extract.prepared_images import PreparedImages


@dataclass(frozen=True)
class Embedded:
    """The result of one batch.

    Attributes
    ----------
    features : floats [n, D_in]
        Features before the projection, of the images that could be read.
    read : list of int
        Their positions, in the sequence of paths.
    thumbnails : list of bytes
        JPEG, one for each of them; empty when none are wanted.
    unreadable : list of (int, str)
        Positions and reasons of the others.
    properties : list of tuple of str
        As `properties_of` returns them, one for each image that could be read.
    """

    features: Floats
    read: list[int]
    thumbnails: list[bytes]
    unreadable: list[tuple[int, str]]
    properties: list[tuple[str, ...]] = field(default_factory=list)


@dataclass(frozen=True)
class ImageReading:
    """How images are read, and what is returned for each.

    Attributes
    ----------
    dtype : "float16" or "float32"
        Number type of the features.
    thumbnails : bool, default=False
        Whether to make thumbnails.
    short_side : int, optional
        Short side at which JPEGs are decoded, as in `data.images.decode`; by default in full.
    workers : int, optional
        Processes, or on a cluster threads of each actor, that read images.
    """

    dtype: str
    thumbnails: bool = False
    short_side: int | None = None
    workers: int | None = None


class Engine(Protocol):
    """Yields the result of each batch once, in the order of `batches`.

    The bytes depend only on the backbone, the batches and the number type, and not on the engine.
    """

    def __call__(
        self,
        paths: Sequence[str] | Strings,
        backbone: Backbone,
        batches: Sequence[range],
        reading: ImageReading,
    ) -> Generator[Embedded, None, None]:
        """Take batches of positions in `paths` through the trunk, read as by `load_batches`."""


def on_this_machine(
    paths: Sequence[str] | Strings, backbone: Backbone, batches: Sequence[range], reading: ImageReading
) -> Generator[Embedded, None, None]:
    """The engine of one machine: processes read ahead while the trunk computes."""
    loaded = load_batches(prepared_for(backbone, paths, reading), batches, reading.workers)
    return (through_trunk(batch, backbone, reading.dtype) for batch in loaded)


def prepared_for(backbone: Backbone, paths: Sequence[str] | Strings, reading: ImageReading) -> PreparedImages:
    """Return images as the trunk's input: made by the method `prepare` if the backbone has it."""
    prepare = getattr(backbone, "prepare", backbone.preprocess)
    return PreparedImages(paths, prepare, reading.thumbnails, reading.short_side)


def through_trunk(batch: Batch, backbone: Backbone, dtype: str) -> Embedded:
    """Return the features of a batch in the stored number type.

    Raises
    ------
    EvenhandError
        If features are not finite or memory runs out.
    """
    if batch.pixels is None:
        return Embedded(np.zeros((0, backbone.width), dtype=dtype), [], [], batch.unreadable)
    try:
        exact = backbone.trunk(batch.pixels).numpy()
    except torch.cuda.OutOfMemoryError as error:
        raise EvenhandError(
            f"{len(batch.pixels)} images at once fill the device's memory; use a smaller `batch_size`"
        ) from error
    with np.errstate(over="ignore"):
        features: Floats = exact.astype(dtype)
    bad = ~np.isfinite(features).all(axis=1)
    if bad.any():
        path = batch.paths[int(bad.argmax())]
        remedy = "`dtype='float32'`" if np.isfinite(exact).all() else "`precision='fp32'`, or other weights"
        raise EvenhandError(f"the features of {path} are not finite numbers in {dtype}; use {remedy}")
    return Embedded(features, batch.read, batch.thumbnails, batch.unreadable, batch.properties)
