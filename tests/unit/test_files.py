"""Files and sets of files that are either whole or absent."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from evenhand._errors import EvenhandError
from evenhand._files import all_or_none, atomic, atomic_folder, sweep, sweep_all, was_interrupted


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


def test_stale_files_leave_with_the_last_and_only_on_success(tmp_path: Path) -> None:
    for name in ("last", "erm", "found", "own"):
        (tmp_path / name).write_text("earlier")
    with suppress(KeyError), all_or_none(tmp_path, last="last", stale=("erm", "found")) as inside:
        raise KeyError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["erm", "found", "last", "own"]
    with all_or_none(tmp_path, last="last", stale=("erm", "found", "gone")) as inside:
        (inside / "erm").write_text("new")
        (inside / "last").write_text("new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "last": "new",
        "erm": "new",
        "own": "earlier",
    }


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "note").write_text("mine")
    with pytest.raises(EvenhandError, match="No space left"), all_or_none(tmp_path, last="a") as inside:
        fill(inside / "a")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a": "old", "note": "mine"}
    with all_or_none(tmp_path, last="a") as inside:
        (inside / "a").write_text("new")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"a": "new", "note": "mine"}


@contextmanager
def writing(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield another process that is half through writing a file, and ends when its input does."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom evenhand._files import atomic\n"
        "with atomic(Path(sys.argv[1])) as inside:\n"
        "    inside.write_text('half'); print('half', flush=True)\n"
        "    sys.stdin.read(); inside.write_text('whole')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def test_what_a_killed_writer_left_goes_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    others = [".x.csv.17.tmp", ".x.csv.note.tmp", f".y.csv.{'0' * 16}.tmp"]
    for name in others:
        (tmp_path / name).write_text("mine")
    with writing(path) as killed, writing(path):
        assert len(list(tmp_path.iterdir())) == 2 + len(others)
        killed.kill()
        killed.wait()
        sweep(path)
        assert len(list(tmp_path.iterdir())) == 1 + len(others)
    assert path.read_text() == "whole"
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([*others, "x.csv"])


def test_writers_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    with atomic(path) as first:
        first.write_text("first")
        sweep(path)
        with atomic(path) as second:
            assert first != second
            second.write_text("second")
            sweep(path)
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_temporary_file_that_is_swept_before_its_lock_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, seen = fcntl.flock, []

    def late(handle: int, how: int) -> None:
        if not seen:
            (left,) = tmp_path.iterdir()
            seen.append(left)
            left.unlink()
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with atomic(tmp_path / "x") as inside:
        assert inside != seen[0]
        inside.write_text("whole")
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def test_where_every_temporary_file_goes_at_once_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise BlockingIOError

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(EvenhandError, match="other processes keep removing"), atomic(tmp_path / "x"):
        pytest.fail("the work began")


def test_an_interrupt_before_the_lock_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fcntl, "flock", interrupt)
    with pytest.raises(KeyboardInterrupt), atomic(tmp_path / "x.json"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_file_system_without_locks_is_written_and_not_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with atomic(tmp_path / "x") as inside:
        inside.write_text("whole")
        sweep(tmp_path / "x")
        assert inside.exists()
    assert (tmp_path / "x").read_text() == "whole"


def test_a_pipe_or_a_device_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(EvenhandError, match="it is not a regular file; name another"), atomic(path):
            pytest.fail("the work began")


def test_a_new_folder_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x"
    with (
        pytest.raises(EvenhandError, match=r"cannot write .*x: No space"),
        atomic_folder(path, argument="out") as inside,
    ):
        fill(inside / "a")
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(path, argument="out") as inside:
        (inside / "a").write_text("whole")
    assert [file.name for file in path.parent.iterdir()] == ["x"]
    with (
        pytest.raises(EvenhandError, match=r"out: .* exists and is not an empty folder; name a new one"),
        atomic_folder(path, argument="out"),
    ):
        pytest.fail("the work began")


def test_a_set_that_was_cut_off_is_known_and_written_anew(tmp_path: Path) -> None:
    staging = tmp_path / f".files.{'0' * 16}.tmp"
    staging.mkdir()
    (staging / "card").write_text("half")
    assert was_interrupted(tmp_path)
    with all_or_none(tmp_path, last="card") as inside:
        (inside / "card").write_text("whole")
    assert not was_interrupted(tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"card": "whole"}


def test_all_left_in_a_folder_goes_and_nothing_of_others(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for name in (f".a.{'f' * 16}.tmp", f"parts/.b.c.{'0' * 16}.tmp", ".mine.tmp", "parts/x.tmp"):
        (tmp_path / name).touch()
    sweep_all(tmp_path)
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == [".mine.tmp", "x.tmp"]
