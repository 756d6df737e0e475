"""Files and sets of files that are either whole or absent."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from evenhand._errors import EvenhandError
from evenhand._files import all_or_none, atomic, sweep, was_interrupted


def fill(path: Path) -> None:
    """Write some of it, then find the disk full."""
    path.write_text("half")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_whole_or_absent_and_so_are_its_new_folders(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "x.txt"
    with pytest.raises(EvenhandError, match=r"cannot write .*x\.txt: No space"), atomic(path) as inside:
        fill(inside)
    assert list(tmp_path.iterdir()) == []
    with atomic(path) as inside:
        inside.write_text("whole")
    assert [file.name for file in path.parent.iterdir()] == ["x.txt"]


def test_a_folder_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match="it is a folder; name a file"), atomic(tmp_path):
        pytest.fail("the work began")


def test_files_come_together_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.run"
    with (
        pytest.raises(EvenhandError, match=r"cannot write .*x\.run: No space"),
        all_or_none(path, last="a") as inside,
    ):
        fill(inside / "a")
    assert list(tmp_path.iterdir()) == []
    with all_or_none(path, last="a") as inside:
        (inside / "a").write_text("1")
        (inside / "b").write_text("1")
    assert sorted(file.name for file in path.iterdir()) == ["a", "b"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "note").write_text("mine")
    with pytest.raises(EvenhandError, match="No space left"), all_or_none(tmp_path, last="a") as inside:
        fill(inside / "a")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a": "old", "note": "mine"}
    with all_or_none(tmp_path, last="a") as inside:
        (inside / "a").write_text("new")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a": "new", "note": "mine"}


def dead_process() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_what_killed_writers_left_goes_and_what_the_living_write_stays(tmp_path: Path) -> None:
    dead, own, living = dead_process(), os.getpid(), os.getppid()
    for process in (dead, own, living):
        (tmp_path / f".x.csv.{process}.tmp").write_text("half")
    (tmp_path / f".y.csv.{dead}.tmp").write_text("another's")
    (tmp_path / f".x.csv.{dead}0000000.tmp").write_text("no process has this number")
    sweep(tmp_path / "x.csv")
    left = {f".x.csv.{living}.tmp", f".y.csv.{dead}.tmp", f".x.csv.{dead}0000000.tmp"}
    assert {file.name for file in tmp_path.iterdir()} == left


def test_a_set_that_was_cut_off_is_known_and_written_anew(tmp_path: Path) -> None:
    staging = tmp_path / f".files.{dead_process()}.tmp"
    staging.mkdir()
    (staging / "card").write_text("half")
    assert was_interrupted(tmp_path)
    with all_or_none(tmp_path, last="card") as inside:
        (inside / "card").write_text("whole")
    assert not was_interrupted(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"card": "whole"}
