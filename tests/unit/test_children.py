"""Children end with their parent, and a terminal's interrupt is their parent's."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand._children import EndsWithParent, starting_children
from evenhand.comparison import processes

PARENT = """
import os, time
from evenhand._children import end_with_parent
parent = os.getpid()
child = os.fork()
if child == 0:
    end_with_parent(parent, at_once={at_once})
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
"""


def lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at /proc")
@pytest.mark.parametrize("at_once", [True, False])
def test_a_child_ends_with_its_killed_parent(at_once: bool) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(at_once=at_once)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert lives(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 30
    while lives(child) and time.monotonic() < end:
        time.sleep(0.02)
    assert not lives(child)


def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    code = (
        "from evenhand._children import end_with_parent; end_with_parent(1 << 22, at_once=False); print('on')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert (done.returncode, done.stdout) == (1, b"")


def test_a_worker_ends_with_its_parent_before_it_imports_what_it_is_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(processes, "ProcessPoolExecutor", lambda *arguments: given.extend(arguments))
    processes.Workers(np.arange(3), 2)
    _, _, function, (first, work, _) = given
    read = pickle.dumps((function, first, work))
    assert read.index(b"_read") < read.index(b"evenhand.comparison.processes")
    code = f"import pickle, sys; pickle.loads({pickle.dumps(dead_parent())!r}); print('on')"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (1, [])


def dead_parent() -> EndsWithParent:
    first = EndsWithParent(at_once=False)
    first._parent = 1 << 22
    return first


def test_an_interrupt_while_children_start_comes_after_it() -> None:
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append("interrupt"))
    try:
        with starting_children():
            os.kill(os.getpid(), signal.SIGINT)
            child = subprocess.Popen([sys.executable, "-c", "import os,signal; os.kill(os.getpid(), 2)"])
            assert child.wait(timeout=60) == 0  # deaf
            seen.append("started")
        assert seen == ["started", "interrupt"]
    finally:
        signal.signal(signal.SIGINT, before)
