"""Children end with their parent, and a terminal's interrupt is their parent's."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evenhand._children import starting_children

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
