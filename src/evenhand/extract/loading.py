"""Images from disk to batches of pixels, in worker processes or threads."""

from __future__ import annotations

import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from multiprocessing.queues import Queue
from pathlib import Path
from textwrap import shorten
from threading import current_thread, main_thread
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from evenhand._children import end_with_parent, starting_children
from evenhand._cores import cores
from evenhand._errors import EvenhandError
from evenhand._typing import Strings
from evenhand.data.files import is_remote
from evenhand.data.images.decode import UnreadableImage, decode, readable_formats
from evenhand.data.images.properties import properties_of
from evenhand.data.images.thumbnail import THUMBNAIL, jpeg_of, shrunk

LONGEST = 100
"""Largest ratio of the sides: a very long image, resized by its short side, would fill the memory."""
REMOTE_READERS = 16
"""Threads that wait for an object store: each request takes tens of milliseconds, and no core."""
AHEAD = 2
"""Batches that threads read ahead of the one in use."""
MOST = 8
"""Readers by default, at most."""
READY = 2
"""Batches that each process reads ahead, as torch's loader does by default."""
SHARED_MEMORY = "/dev/shm"
"""Where Linux keeps memory that processes share."""
FEW = 256
"""Below this many images, starting processes costs more than it gains."""


@dataclass(frozen=True)
class Batch:
    """Pixels [n, 3, H, W] of the readable images of a batch, and the result for each image.

    Attributes
    ----------
    pixels : Tensor or None
        None when no image of the batch could be read.
    read : list of int
        Positions, in the sequence of paths, of the rows of `pixels`.
    thumbnails : list of bytes
        JPEG, one for each read image; empty when none are wanted.
    unreadable : list of (int, str)
        Positions and reasons of the others.
    properties : list of tuple of str
        As `properties_of` returns them, one for each read image.
    """

    pixels: Tensor | None
    read: list[int]
    thumbnails: list[bytes]
    unreadable: list[tuple[int, str]]
    properties: list[tuple[str, ...]] = field(default_factory=list)


@dataclass(frozen=True)
class Consecutive(Sequence[range]):
    """The positions from `start` to `stop` in runs of `size`, the last of which may be shorter."""

    start: int
    stop: int
    size: int

    def __len__(self) -> int:
        return len(range(self.start, self.stop, self.size))

    def __getitem__(self, number: Any) -> Any:
        first = range(self.start, self.stop, self.size)[number]
        return range(first, min(first + self.size, self.stop))


def load_batches(
    paths: Sequence[str] | Strings,
    preprocess: Callable[[Image.Image], Tensor],
    batches: Sequence[Sequence[int]],
    *,
    workers: int | None = None,
    thumbnails: bool = False,
    short_side: int | None = None,
) -> Iterator[Batch]:
    """Yield one batch for each sequence of positions in `batches`, in their order.

    Parameters
    ----------
    paths : sequence of str
        Files.
    preprocess : callable
        RGB image to pixels [3, H, W].
    batches : sequence of sequences of int
        Positions in `paths`.
    workers : int or None
        Processes that read images; by default one per core, at most 8. With 0, the default for few images,
        threads of this process read them. Remote images are read by threads too, by default 16.
    thumbnails : bool
        Whether to make thumbnails from the decoded images.
    short_side : int, optional
        Short side at which JPEGs are decoded, as in `data.images.decode`; by default in full.

    Raises
    ------
    EvenhandError
        If a process that reads images dies.
    """
    pictures = _Pictures(paths, preprocess, thumbnails, short_side)
    if any(is_remote(Path(str(path))) for path in paths):
        yield from _by_threads(pictures, batches, REMOTE_READERS if workers is None else max(1, workers))
        return
    processes = default_workers(sum(map(len, batches))) if workers is None else workers
    largest = max(map(len, islice(batches, 2)), default=0)
    if not processes or not _fits_shared_memory(preprocess, largest, processes):
        yield from _by_threads(pictures, batches, processes or min(cores(), MOST))
        return
    readable_formats()  # once, and not in each process
    loader: DataLoader[Any] = DataLoader(
        pictures,
        batch_sampler=batches,  # type: ignore[arg-type]  # made one by one: a list of them all would be large
        num_workers=processes,
        collate_fn=_collate,
        worker_init_fn=partial(_begin, os.getpid(), current_thread() is main_thread()),
        # Nothing here is random, but the loader would draw a seed from the global generator.
        generator=torch.Generator(),
    )
    try:
        with starting_children():
            stream = iter(loader)
        yield from stream
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise EvenhandError(
            f"a process that reads images died ({shorten(str(error), 200, placeholder=' …')}); free memory "
            f"(in a container, also {SHARED_MEMORY}) or use fewer `workers`, and run the same command "
            "again to resume"
        ) from error


def _fits_shared_memory(preprocess: Callable[[Image.Image], Tensor], images: int, processes: int) -> bool:
    """Return whether shared memory can hold the pixels that processes send; a container has 64 MB of it."""
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
    except OSError:  # a system that keeps them elsewhere
        return True
    # Each process has batches ready before the one in use is done.
    one = preprocess(Image.new("RGB", (THUMBNAIL, THUMBNAIL))).nbytes
    return one * images * (READY * processes + 1) < free


def _begin(parent: int, at_once: bool, _worker: int) -> None:
    """Make a reading process end with its parent, or if it cannot send what it read."""
    end_with_parent(parent, at_once=at_once)
    # The parent reports what fails. An interrupted parent hangs up while a batch is handed over, and the
    # thread that serves the batch would print a traceback next to the parent's one sentence.
    sys.excepthook = lambda *_: None
    # Python's own queue would drop the batch with a traceback, and the parent would wait for ever.
    Queue._on_queue_feeder_error = staticmethod(_give_up)  # type: ignore[attr-defined]


def _give_up(_error: BaseException, _batch: object) -> None:
    os._exit(1)


def load_by_threads(
    paths: Sequence[str] | Strings,
    preprocess: Callable[[Image.Image], Tensor],
    batches: Sequence[Sequence[int]],
    *,
    workers: int,
    thumbnails: bool = False,
    short_side: int | None = None,
) -> Iterator[Batch]:
    """Yield what `load_batches` does, read by threads of this process.

    This serves where processes must not be forked: in a worker of a cluster, or with connections to an object
    store. Other threads run while one decodes or waits for bytes.

    Parameters
    ----------
    paths, preprocess, batches, thumbnails, short_side
        As in `load_batches`.
    workers : int
        Threads, at least 1.
    """
    return _by_threads(_Pictures(paths, preprocess, thumbnails, short_side), batches, workers)


def _by_threads(pictures: _Pictures, batches: Sequence[Sequence[int]], workers: int) -> Iterator[Batch]:
    threads = torch.get_num_threads()
    # One image is too small for several threads of torch: handing the work out takes longer than the work.
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        ahead: deque[list[Future[Item]]] = deque()
        try:
            for rows in batches:
                ahead.append([pool.submit(pictures.__getitem__, row) for row in rows])
                if len(ahead) > AHEAD:
                    yield _collate([item.result() for item in ahead.popleft()])
            while ahead:
                yield _collate([item.result() for item in ahead.popleft()])
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)  # which threads that start later go by


def default_workers(pictures: int) -> int:
    """Return how many processes read `pictures` images."""
    # Elsewhere processes are spawned, each with a copy of the model.
    if sys.platform != "linux" or pictures < FEW:
        return 0
    return min(cores(), MOST) if cores() > 1 else 0


Item = tuple[int, "Tensor | None", bytes, str, tuple[str, ...]]


class _Pictures(Dataset[Item]):
    def __init__(
        self,
        paths: Sequence[str] | Strings,
        preprocess: Callable[[Image.Image], Tensor],
        thumbnails: bool,
        short_side: int | None,
    ) -> None:
        self._paths, self._preprocess, self._thumbnails = paths, preprocess, thumbnails
        self._short_side = short_side

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, position: int) -> Item:
        path = Path(self._paths[position])
        try:
            image, size = decode(path, self._short_side)
        except UnreadableImage as error:
            return position, None, b"", error.reason, ()
        if max(size) > LONGEST * min(size):
            return position, None, b"", f"too long and narrow ({size[0]} x {size[1]} pixels)", ()
        small = shrunk(image)
        properties = properties_of(image, small, size, path)
        return position, self._preprocess(image), jpeg_of(small) if self._thumbnails else b"", "", properties


def _collate(items: list[Item]) -> Batch:
    read = [
        (position, pixels, small, properties)
        for position, pixels, small, _, properties in items
        if pixels is not None
    ]
    return Batch(
        torch.stack([pixels for _, pixels, _, _ in read]) if read else None,
        [position for position, *_ in read],
        [small for _, _, small, _ in read if small],
        [(position, reason) for position, pixels, _, reason, _ in items if pixels is None],
        [properties for *_, properties in read],
    )
