import errno
import fcntl
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from evenhand._errors import EvenhandError
from evenhand.data.lock import FolderLock


def test_one_at_a_time(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    with pytest.raises(EvenhandError, match="is being written by another process; wait for it to end"):
        FolderLock(tmp_path)
    lock.release()
    FolderLock(tmp_path).release()


def test_a_removed_lock_file_locks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flock = fcntl.flock

    def late(handle: int, how: int) -> None:
        (tmp_path / ".lock").unlink()
        (tmp_path / ".lock").touch()
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    (tmp_path / ".lock").touch()
    with (tmp_path / ".lock").open(), pytest.raises(EvenhandError, match="by another process"):
        FolderLock(tmp_path)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match=r"cannot lock .*: No such file or directory"):
        FolderLock(tmp_path / "nowhere")


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(EvenhandError, match=r"cannot lock .*: Operation not supported"):
        FolderLock(tmp_path)


def fork() -> int:
    """Return the id of a child that lives on and has run what is run at a fork."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, b"1")
        time.sleep(60)
        os._exit(0)
    os.read(reader, 1)
    os.close(reader)
    os.close(writer)
    return child


@pytest.mark.parametrize("how", ["killed", "released"])
def test_workers_that_outlive_the_writer_hold_no_lock(tmp_path: Path, how: str) -> None:
    lock = FolderLock(tmp_path)
    child = fork()
    try:
        with pytest.raises(EvenhandError, match="by another process"):
            FolderLock(tmp_path)
        if how == "killed":
            os.close(lock._lock._handle)  # all that the end of a process does
        else:
            lock.release()
        FolderLock(tmp_path).release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
