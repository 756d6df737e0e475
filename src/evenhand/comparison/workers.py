"""Work on one table in several processes: spawned, one CPU thread each, ended with the one that asked."""

from __future__ import annotations

import multiprocessing as mp
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from typing_extensions import Self

from evenhand._errors import EvenhandError
from evenhand.data.table import FeatureTable

Task = TypeVar("Task")
Result = TypeVar("Result")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS, OpenMP and torch to one thread: sums are then added in one order, whoever does them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


class Workers:
    """Runs work on a table, in this process or in `jobs` others; a context manager.

    Parameters
    ----------
    table : FeatureTable
        Handed to all work. Features that are mapped from files are mapped anew, not copied.
    jobs : int
        1 starts no process.
    """

    def __init__(self, table: FeatureTable, jobs: int) -> None:
        self._table = table
        self._pool: ProcessPoolExecutor | None = None
        self._others = set(mp.active_children())
        if jobs > 1:
            spawn = mp.get_context("spawn")  # a fork would copy locks that threads hold
            self._pool = ProcessPoolExecutor(jobs, spawn, _begin, (table,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is None:
            return
        if kind is not None:
            for process in set(mp.active_children()) - self._others:
                process.terminate()
        self._pool.shutdown(cancel_futures=True)

    def run(
        self, work: Callable[[FeatureTable, Task], Result], tasks: Sequence[Task]
    ) -> Iterator[tuple[Task, Result]]:
        """Yield each task with what `work(table, task)` returned, in the order in which they end.

        Raises
        ------
        EvenhandError
            If a process ends before its work is done.
        """
        if self._pool is None:
            yield from ((task, work(self._table, task)) for task in tasks)
            return
        try:
            futures = {self._pool.submit(_call, work, task): task for task in tasks}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise EvenhandError(
                "a worker process ended before its work was done, perhaps for lack of memory; free some or "
                "use fewer --jobs, and run the same command again: with --out it resumes"
            ) from error


_TABLE: list[FeatureTable] = []
"""The table of a worker process."""


def _begin(table: FeatureTable) -> None:
    torch.set_num_threads(1)
    threadpool_limits(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _TABLE[:] = [table]


def _call(work: Callable[[FeatureTable, Any], Any], task: Any) -> Any:
    return work(_TABLE[0], task)


def _end_with_parent() -> None:
    """A killed parent cannot end its workers, and they would wait for work for ever."""
    parent = mp.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
