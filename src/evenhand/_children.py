"""Child processes that end with their parent, however it dies, and leave interrupts to it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

LOOK = 0.5
"""Seconds between a child's checks that its parent is alive."""
_PR_SET_PDEATHSIG = 1
_OF_A_TERMINAL = (signal.SIGINT, signal.SIGHUP)
"""Signals that a terminal sends to every process that runs in it."""


@contextmanager
def starting_children() -> Iterator[None]:
    """Make processes that start in this context ignore a terminal's interrupts.

    Their parent gets the same interrupt, says one sentence and ends them; they would each print a traceback.
    An interrupt that comes meanwhile reaches the parent at the end.
    """
    came: list[int] = []
    usual = {}
    if threading.current_thread() is threading.main_thread():
        # Another thread may get the signal, and then Python runs the handler here in spite of the mask.
        usual = {
            number: signal.signal(number, lambda number, _: came.append(number))
            for number in (*_OF_A_TERMINAL, signal.SIGTERM)
            if signal.getsignal(number) is not None
        }
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_A_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in usual.items():
            signal.signal(number, handler)
        for first in came[:1]:
            signal.raise_signal(first)


def end_with_parent(parent: int, *, at_once: bool) -> None:
    """Make this child process end when its parent has ended, even by SIGKILL.

    Parameters
    ----------
    parent : int
        Number of the parent's process.
    at_once : bool
        Whether the system may do it, where it can: Linux ends a child with the thread that started it, so
        this is for children of a main thread. Elsewhere a thread looks every half second.
    """
    if at_once and sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    with suppress(RuntimeError):  # no thread to be had
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


class EndsWithParent:
    """What a spawned process is to read first: from then on it ends with its parent.

    The process reads its arguments in their order and imports what each of them names, for some as much as
    torch; a parent that dies meanwhile would leave it to import to the end.
    """

    def __init__(self, *, at_once: bool) -> None:
        self._parent, self._at_once = os.getpid(), at_once

    def __reduce__(self) -> tuple[Any, ...]:
        return _read, (self._parent, self._at_once)


def _read(parent: int, at_once: bool) -> None:
    end_with_parent(parent, at_once=at_once)


def call(_: EndsWithParent, function: Callable[..., None], *args: Any) -> None:
    """Call a function in a process that was first set to end with its parent."""
    function(*args)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os._exit(1)
