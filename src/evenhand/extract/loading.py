"""Prepared images in batches, read by worker processes or threads."""

from __future__ import annotations

import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing.queues import Queue
from textwrap import shorten
from threading import current_thread, main_thread
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader

from evenhand._children import end_with_parent, starting_children
from evenhand._cores import cores
from evenhand._errors import EvenhandError
from evenhand.data.images.decode import readable_formats
from evenhand.data.images.thumbnail import THUMBNAIL
from evenhand.extract.prepared_images import PreparedImage, PreparedImages

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
        Positions, among all images, of the rows of `pixels`.
    paths : list of str
        Their files.
    thumbnails : list of bytes
        JPEG, one for each read image; empty when none are wanted.
    unreadable : list of (int, str)
        Positions and reasons of the others.
    properties : list of tuple of str
        As `properties_of` returns them, one for each read image.
    """

    pixels: Tensor | None
    read: list[int]
    paths: list[str]
    thumbnails: list[bytes]
    unreadable: list[tuple[int, str]]
    properties: list[tuple[str, ...]]


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
    images: PreparedImages, batches: Sequence[Sequence[int]], workers: int | None = None
) -> Iterator[Batch]:
    """Yield one batch for each sequence of positions in `batches`, in their order.

    Parameters
    ----------
    images : PreparedImages
        All images.
    batches : sequence of sequences of int
        Positions in `images`.
    workers : int, optional
        Processes that read images; by default one per core, at most 8. With 0, the default for few images,
        threads of this process read them. Remote images are read by threads too, by default 16.

    Raises
    ------
    EvenhandError
        If a process that reads images dies.
    """
    if images.remote:
        yield from load_by_threads(images, batches, REMOTE_READERS if workers is None else max(1, workers))
        return
    processes = default_workers(sum(map(len, batches))) if workers is None else workers
    largest = max(map(len, islice(batches, 2)), default=0)
    if not processes or not _fits_shared_memory(images.prepare, largest, processes):
        yield from load_by_threads(images, batches, processes or min(cores(), MOST))
        return
    readable_formats()  # once, and not in each process
    loader: DataLoader[Any] = DataLoader(
        images,
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


def _fits_shared_memory(prepare: Callable[[Image.Image], Tensor], images: int, processes: int) -> bool:
    """Return whether shared memory can hold the pixels that processes send; a container has 64 MB of it."""
    try:
        free = shutil.disk_usage(SHARED_MEMORY).free
    except OSError:  # a system that keeps them elsewhere
        return True
    # Each process has batches ready before the one in use is done.
    one = prepare(Image.new("RGB", (THUMBNAIL, THUMBNAIL))).nbytes
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
    images: PreparedImages, batches: Sequence[Sequence[int]], workers: int
) -> Iterator[Batch]:
    """Yield what `load_batches` does, read by threads of this process.

    This serves where processes must not be forked: in a worker of a cluster, or with connections to an object
    store. Other threads run while one decodes or waits for bytes.

    Parameters
    ----------
    images, batches
        As in `load_batches`.
    workers : int
        Threads, at least 1.
    """
    threads = torch.get_num_threads()
    # One image is too small for several threads of torch: handing the work out takes longer than the work.
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        ahead: deque[list[Future[PreparedImage]]] = deque()
        try:
            for rows in batches:
                ahead.append([pool.submit(images.__getitem__, row) for row in rows])
                if len(ahead) > AHEAD:
                    yield _collate([item.result() for item in ahead.popleft()])
            while ahead:
                yield _collate([item.result() for item in ahead.popleft()])
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)  # which threads that start later go by


def default_workers(images: int) -> int:
    """Return how many processes read so many images."""
    # Elsewhere processes are spawned, each with a copy of the model.
    if sys.platform != "linux" or images < FEW:
        return 0
    return min(cores(), MOST) if cores() > 1 else 0


def _collate(images: list[PreparedImage]) -> Batch:
    read = [image for image in images if image.pixels is not None]
    return Batch(
        torch.stack([image.pixels for image in read if image.pixels is not None]) if read else None,
        [image.position for image in read],
        [image.path for image in read],
        [image.thumbnail for image in read if image.thumbnail],
        [(image.position, image.reason) for image in images if image.pixels is None],
        [image.properties for image in read],
    )
