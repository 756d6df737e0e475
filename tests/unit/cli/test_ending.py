"""What ends a command from outside, or for want of something, is one sentence and its exit code."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from evenhand._errors import EvenhandError
from evenhand.cli import ending


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (EvenhandError("no"), "no", 1),
        (KeyboardInterrupt(), "interrupted", 130),
        (MemoryError("16 GiB"), "out of memory (16 GiB)", 1),
        (OSError(errno.ENOSPC, "No space left on device", "x"), "x: No space left on device", 1),
        (RuntimeError("can't start new thread"), "the system cannot start another thread or process", 1),
        (
            BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
            "cannot start another thread or process",
            1,
        ),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out of memory", 1),
        (ImportError("x.so: failed to map segment from shared object"), "out of memory", 1),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: 16 GiB"),
            "out of memory",
            1,
        ),
    ],
)
def test_what_is_no_fault_of_ours_is_a_sentence(error: BaseException, said: str, code: int) -> None:
    found = ending.told(error)
    assert found is not None
    assert said in found[0]
    assert found[1] == code


def test_a_shortage_behind_another_error_is_found() -> None:
    error = ImportError("numpy could not be imported")
    error.__cause__ = ImportError("libblas.so: failed to map segment from shared object")
    found = ending.told(error)
    assert found is not None
    assert "out of memory" in found[0]


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), OSError("no number"), RuntimeError("ours")])
def test_faults_of_ours_are_not_hidden(error: BaseException) -> None:
    assert ending.told(error) is None


CODE = """
import signal, sys, time
from evenhand.cli import ending
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in ({numbers}): signal.signal(number, signal.SIG_DFL)
ending.PATIENCE = 0.5
with ending.listening():
    print("ready", flush=True)
    {work}
"""
# A signal between two bytecodes and one long sleep would wait for the end of the sleep.
SLEEP = "\n    while True: time.sleep(0.01)"
SWALLOW = "\n    while True:\n        try: time.sleep(0.01)\n        except BaseException: pass"


def ended(work: str, number: int, *, usual: str = "signal.SIGTERM, signal.SIGHUP") -> tuple[int, str]:
    """Send a signal to a process at work; return its exit code and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-c", CODE.format(work=work, numbers=usual)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        os.kill(process.pid, number)
        return process.wait(timeout=60), process.stderr.read()


SERVING = """
    from multiprocessing.connection import Client
    from multiprocessing.reduction import DupFd
    try:
        while True: time.sleep(0.01)
    except KeyboardInterrupt:
        address, key = DupFd(1)._id
        Client(address, authkey=__import__("multiprocessing").current_process().authkey).close()
        __import__("threading").Thread(target=lambda: 1 / 0).start()
        time.sleep(0.2)
        raise
"""


def test_threads_that_serve_dead_children_add_no_traceback() -> None:
    """The child hangs up before it has fetched what it was to be handed; a thread of ours fails, too."""
    assert ended(SERVING, signal.SIGINT) == (130, "error: interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_one_sentence(number: int) -> None:
    assert ended(SLEEP, number) == (128 + number, "error: interrupted\n")


def test_a_signal_that_a_library_swallows_ends_the_process_all_the_same() -> None:
    assert ended(SWALLOW, signal.SIGTERM) == (128 + signal.SIGTERM, "error: interrupted\n")


def test_a_command_that_hangs_after_its_sentence_does_not_say_it_again() -> None:
    work = f'__import__("atexit").register(time.sleep, 60){SLEEP}'
    assert ended(work, signal.SIGTERM) == (128 + signal.SIGTERM, "error: interrupted\n")


def test_what_a_command_that_is_cut_off_leaves_is_removed_in_silence() -> None:
    held = 'held = __import__("multiprocessing").get_context("spawn").Semaphore(); time'
    assert ended(SWALLOW.replace("time", held), signal.SIGTERM) == (
        128 + signal.SIGTERM,
        "error: interrupted\n",
    )


def test_a_signal_that_the_parent_had_ignored_stays_so() -> None:
    work = "import os; os.kill(os.getpid(), signal.SIGHUP); sys.exit(7)"
    code = CODE.format(work=work, numbers="signal.SIGTERM,").replace(
        "ending.PATIENCE", "signal.signal(signal.SIGHUP, signal.SIG_IGN); ending.PATIENCE"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 7


LATE = """
import atexit, io, sys
from pyarrow import csv
from evenhand.cli import ending
try:
    csv.read_csv(io.BytesIO(b"a,b\\n" + b"1,2\\n" * 300_000 + b"x\\n" + b"1,2\\n" * 3_000_000))
except Exception:
    pass
atexit.register(sys.stdout.write, " and registered")
sys.stdout.write("whole")
ending.leave(3)
"""


def test_a_process_leaves_at_once_with_its_code_and_all_that_it_said() -> None:
    """A thread that still reads through Python must find the interpreter whole: else it aborts, 134."""
    done = subprocess.run([sys.executable, "-c", LATE], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (3, "whole and registered", "")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_a_reader_that_goes_early_is_no_traceback(arguments: list[str]) -> None:
    """As in `evenhand … | head`."""
    code = f"import sys; sys.argv = ['evenhand', *{arguments}]; from evenhand.cli import main; main()"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], check=False, stdout=writing, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
