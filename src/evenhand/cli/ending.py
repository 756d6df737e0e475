"""How a command that cannot go on ends: with one sentence and its exit code."""

from __future__ import annotations

import atexit
import errno
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten
from typing import Any, NoReturn

from evenhand._errors import EvenhandError, NotAllowedError
from evenhand.cli.show import complain

PATIENCE = 10.0
"""Seconds for a command that a signal asked to end; then it ends in the middle."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_USUAL = (signal.SIG_DFL, signal.default_int_handler)
_NO_THREAD = re.compile(r"can't start new thread|Resource temporarily unavailable")
_NO_MEMORY = re.compile(
    r"not enough memory|can't allocate memory|bad_alloc|bad allocation|[Cc]annot allocate memory|"
    r"failed to map segment|[Oo]ut of memory"
)
_asked: list[int] = []
"""The first signal that asked this process to end."""
_said: list[str] = []
"""The sentence about it, once it is on the screen."""


class Asked(KeyboardInterrupt):
    """A signal asked this process to end; raised where it works, so that it cleans up."""


@contextmanager
def listening() -> Iterator[None]:
    """Raise `Asked` at the first of the signals, and end in one sentence; those that are ignored stay so.

    After the command has ended, all signals are ignored: its output is complete, and the process ends by
    itself.
    """
    # A command that is cut off leaves semaphores, which a process of multiprocessing removes: in silence.
    sys.warnoptions.append("ignore:resource_tracker:UserWarning")
    numbers = [number for number in _SIGNALS if signal.getsignal(number) in _USUAL]
    for number in numbers:
        signal.signal(number, _ask)
    try:
        yield
    except KeyboardInterrupt as error:  # while the application itself was imported
        sentence, code = told(error) or ("", 1)
        complain("error", sentence)
        sys.exit(code)
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)


def exit_code(code: int) -> int:
    """Return the exit code of a command, and say that it was interrupted if typer ended it in silence."""
    if code == 0 or not _asked or _said:
        return code
    complain("error", "interrupted")
    return 128 + _asked[0]


def _ask(number: int, _frame: Any) -> None:
    if _asked:  # a terminal that closes sends two; the second must not cut off the cleaning up
        return
    _asked.append(number)
    # What is torn down half made would print tracebacks, and so would the threads that serve children.
    sys.unraisablehook = lambda _: None
    threading.excepthook = lambda _: None
    sys.excepthook = lambda *_: None
    # A library may swallow the exception, or hold the main thread for long.
    end = threading.Timer(PATIENCE, _cut_off, (128 + number,))
    end.daemon = True
    end.start()
    raise Asked


def _cut_off(code: int) -> None:
    if not _said:
        complain("error", "interrupted")
    os._exit(code)


def leave(code: int) -> NoReturn:
    """End this process at once: what is registered for the exit runs, but the interpreter is not torn down.

    A library's thread that reads through Python (pyarrow's, after a table that it refused) would ask for the
    interpreter meanwhile, be ended amid its own C++ code, and abort the process.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # whoever read it has gone, as `| head` does
            code = code or 1
    os._exit(code)


def told(error: BaseException) -> tuple[str, int] | None:
    """Return the sentence and the exit code of a failure outside evenhand, else None."""
    if _asked or isinstance(error, KeyboardInterrupt):
        # Whatever came of it: an import that is cut off fails in many ways.
        _said.append("interrupted")
        return "interrupted", 128 + (_asked[0] if _asked else signal.SIGINT)
    if isinstance(error, EvenhandError):
        return str(error), 2 if isinstance(error, NotAllowedError) else 1
    if isinstance(error, MemoryError):
        return f"out of memory ({error}); free some, or use fewer rows at once", 1
    if isinstance(error, OSError) and error.errno not in (None, errno.EPIPE, errno.ENOMEM, errno.EAGAIN):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}", 1
    return _shortage(error)


def _shortage(error: BaseException) -> tuple[str, int] | None:
    """Return what to do if the system gave no thread, process or memory, by the libraries' errors."""
    seen: BaseException | None = error
    while seen is not None and isinstance(seen, Exception):
        reason = shorten(str(seen), 200, placeholder=" …")
        if _NO_THREAD.search(reason):
            return (
                f"the system cannot start another thread or process ({reason}); raise its limit (ulimit -u, "
                "or a container's), or use --threads 1 and fewer processes",
                1,
            )
        if _NO_MEMORY.search(reason):
            return f"out of memory ({reason}); free some, or use fewer rows at once", 1
        seen = seen.__cause__ or seen.__context__
    return None
