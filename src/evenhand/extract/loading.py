"""Pictures from disk to batches of pixels, in worker processes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from evenhand.data.images import UnreadableImage, read_image

THUMBNAIL = 64
"""Longest side of a thumbnail in pixels."""


@dataclass(frozen=True)
class Batch:
    """Pixels [n, 3, H, W] of the readable pictures among a batch, and what became of each.

    Attributes
    ----------
    pixels : Tensor or None
        None when no picture of the batch could be read.
    read : list of int
        Positions, in the sequence of paths, of the rows of `pixels`.
    thumbnails : list of bytes
        JPEG, one for each read picture; empty when none are wanted.
    unreadable : list of (int, str)
        Positions and reasons of the others.
    """

    pixels: Tensor | None
    read: list[int]
    thumbnails: list[bytes]
    unreadable: list[tuple[int, str]]


def load_batches(
    paths: Sequence[str],
    preprocess: Callable[[Image.Image], Tensor],
    *,
    batch_size: int,
    workers: int | None = None,
    thumbnails: bool = False,
) -> Iterator[Batch]:
    """Yield batches in the order of `paths`.

    Parameters
    ----------
    paths : sequence of str
        Files.
    preprocess : callable
        RGB picture to pixels [3, H, W].
    batch_size, workers : int, int or None
        Pictures per batch; processes that read them, by default one per spare core.
    thumbnails : bool
        Whether to make thumbnails from the decoded pictures.
    """
    spare = max(0, len(os.sched_getaffinity(0)) - 1) if hasattr(os, "sched_getaffinity") else 0
    processes = spare if workers is None else workers
    loader: DataLoader[Batch] = DataLoader(
        _Pictures(paths, preprocess, thumbnails),
        batch_size=batch_size,
        # Starting processes costs more than reading a few pictures.
        num_workers=processes if len(paths) > 4 * batch_size else 0,
        collate_fn=_collate,
    )
    yield from loader


Item = tuple[int, "Tensor | None", bytes, str]


class _Pictures(Dataset[Item]):
    def __init__(
        self, paths: Sequence[str], preprocess: Callable[[Image.Image], Tensor], thumbnails: bool
    ) -> None:
        self._paths, self._preprocess, self._thumbnails = paths, preprocess, thumbnails

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, position: int) -> Item:
        try:
            image = read_image(Path(self._paths[position]))
        except UnreadableImage as error:
            return position, None, b"", error.reason
        small = _thumbnail(image) if self._thumbnails else b""
        return position, self._preprocess(image), small, ""


def _collate(items: list[Item]) -> Batch:
    read = [(position, pixels, small) for position, pixels, small, _ in items if pixels is not None]
    return Batch(
        torch.stack([pixels for _, pixels, _ in read]) if read else None,
        [position for position, _, _ in read],
        [small for _, _, small in read if small],
        [(position, reason) for position, pixels, _, reason in items if pixels is None],
    )


def _thumbnail(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=80)
    return stream.getvalue()
