"""A command that dies, or is asked to end, leaves no process behind and no half of a file."""

import random
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Job = tuple[Any, ...]
NAMES = ("embed", "predict", "compare")
PATIENCE = 60.0
"""Seconds for children to see that their parent is gone; half a second on an idle machine."""
TEMPORARY = "*.tmp"


@pytest.fixture
def jobs(photos: Path, embedded: Path, rows: Path) -> dict[str, Job]:
    """Commands that have children of their own."""
    reading = ("--workers", 2, "--device", "cpu")
    return {
        "embed": ("embed", photos, "--model", "tiny", "--batch-size", 4, *reading, "--out", "out"),
        "predict": ("predict", embedded / "s.run", photos, *reading, "--out", "out/p.csv"),
        "compare": ("compare", rows, "--methods", "erm", "--seeds", 1, "--jobs", 2, "--out", "out"),
    }


def left_of(session: int) -> list[str]:
    """Return what processes of a session live; one that has ended and is not yet waited for does not."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            state, _, _, own = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(own) == session and state not in "ZX":
                found.append(f"{entry.name} {(entry / 'cmdline').read_text()}")
        except (OSError, ValueError):
            continue
    return found


def assert_nothing_runs(session: int) -> None:
    end = time.monotonic() + PATIENCE
    while (left := left_of(session)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not left


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are listed by /proc")
@pytest.mark.parametrize("name", NAMES)
def test_children_end_with_a_killed_command(
    name: str, warm: Any, jobs: dict[str, Job], trials: int, tmp_path: Path
) -> None:
    usual = warm.good(tmp_path / "whole", *jobs[name])
    for trial in range(trials):
        seconds = random.Random(f"{name} {trial}").uniform(0, usual.seconds)
        done = warm.run(tmp_path / str(trial), *jobs[name], kill_after=seconds)
        assert done.code in (0, -9), done
        assert_nothing_runs(done.process)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="whether it listens is read from /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("name", [*NAMES, "fit"])
def test_a_command_that_is_asked_to_end_says_one_sentence(
    name: str,
    number: int,
    warm: Any,
    jobs: dict[str, Job],
    rows: Path,
    kit: SimpleNamespace,
    trials: int,
    tmp_path: Path,
) -> None:
    jobs["fit"] = ("fit", rows, "--method", "cnc", "--param", "epochs=2", "--out", "out")
    usual = warm.good(tmp_path / "whole", *jobs[name])
    for trial in range(max(1, trials // 3)):
        seconds = random.Random(f"{name} {number} {trial}").uniform(0, usual.seconds)
        folder = tmp_path / str(trial)
        done = warm.run(folder, *jobs[name], kill_after=seconds, signal=number)
        assert_nothing_runs(done.process)
        if done.code != 0:
            assert (done.code, done.stderr) == (128 + number, "error: interrupted\n"), done
            assert not list(folder.rglob(TEMPORARY))
        if name in ("fit", "predict"):  # the signal may come when all is written
            assert kit.contents(folder) in ({}, kit.contents(tmp_path / "whole")), done
