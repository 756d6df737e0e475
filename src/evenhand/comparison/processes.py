"""Run jobs on one table in spawned processes, with one CPU thread each, that end with their parent."""

from __future__ import annotations

import mmap
import multiprocessing as mp
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.reduction import DupFd, ForkingPickler
from tempfile import TemporaryFile
from typing import Any, TypeVar

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from typing_extensions import Self

from evenhand._children import EndsWithParent, call, starting_children
from evenhand._errors import EvenhandError
from evenhand.data.table import FeatureTable

Task = TypeVar("Task")
Result = TypeVar("Result")


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS, OpenMP and torch to one thread, so that all processes add sums in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


class Workers:
    """Run functions of a table, in this process or in `jobs` others; a context manager.

    Parameters
    ----------
    table : FeatureTable
        First argument of every call. Features that are mapped from files are mapped again, not copied.
    jobs : int
        Number of processes; 1 starts none.
    """

    def __init__(self, table: FeatureTable, jobs: int) -> None:
        self._table = table
        self._pool: ProcessPoolExecutor | None = None
        self._others = set(mp.active_children())
        if jobs > 1:
            spawn = mp.get_context("spawn")  # a fork would copy locks that threads hold
            on_main = threading.current_thread() is threading.main_thread()
            self._file = TemporaryFile()  # noqa: SIM115  closed at the exit
            ForkingPickler(self._file).dump(table)
            self._file.flush()
            given = (EndsWithParent(at_once=on_main), _begin, _Shared(self._file.fileno()))
            with starting_children():  # Python's tracker of what processes share starts here
                self._pool = ProcessPoolExecutor(jobs, spawn, call, given)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is None:
            return
        if kind is not None:
            for process in set(mp.active_children()) - self._others:
                process.terminate()
        self._pool.shutdown(cancel_futures=True)
        self._file.close()

    def run(
        self, work: Callable[[FeatureTable, Task], Result], tasks: Sequence[Task]
    ) -> Iterator[tuple[Task, Result]]:
        """Yield each task with the result of `work(table, task)`, in the order in which they end.

        Raises
        ------
        EvenhandError
            If a process dies before its work is done.
        """
        if self._pool is None:
            yield from ((task, work(self._table, task)) for task in tasks)
            return
        try:
            with starting_children():
                futures = {self._pool.submit(_call, work, task): task for task in tasks}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise EvenhandError(
                "a worker process ended before its work was done, perhaps for lack of memory; free some or "
                "use fewer `jobs`, and run the same again: with `out` it resumes"
            ) from error


_TABLE: list[FeatureTable] = []
"""The table of a worker process."""


class _Shared:
    """A table in an unnamed file, which a starting process receives as an open file.

    The arguments of a starting process go through a pipe of 64 KiB. If they are larger and the process dies
    before it has read them, Python waits forever.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __reduce__(self) -> tuple[Any, ...]:
        return _Shared._received, (DupFd(self._handle),)

    @staticmethod
    def _received(handle: Any) -> _Shared:
        return _Shared(handle.detach())

    def table(self) -> FeatureTable:
        """Read the table; each process maps the file, since all share one position in it."""
        with mmap.mmap(self._handle, 0, access=mmap.ACCESS_READ) as content:
            found: FeatureTable = pickle.loads(content)  # noqa: S301  our own process's, never a stranger's
        os.close(self._handle)
        return found


def _begin(table: _Shared) -> None:
    torch.set_num_threads(1)
    threadpool_limits(1)
    _TABLE[:] = [table.table()]


def _call(work: Callable[[FeatureTable, Any], Any], task: Any) -> Any:
    return work(_TABLE[0], task)
