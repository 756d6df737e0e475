"""Killed with -9 at any instant: nothing half reads as whole, and the same command makes the same bytes."""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evenhand import EvenhandError, load_run, load_store

Job = tuple[Any, ...]
TEMPORARY = re.compile(r"(^|/)\.[^/]*\.tmp(/|$)")
NAMES = ("embed", "fit", "refit", "compare", "predict", "import", "report", "export")


@pytest.fixture
def jobs(photos: Path, embedded: Path, rows: Path, kit: SimpleNamespace) -> dict[str, Job]:
    """Commands that write `out`; of fit a new run, and one in the place of a run with more files."""
    fit = ("fit", rows, "--param", "epochs=2", "--out", "out", "--method")
    features = ("--features", rows.parent / "X.npy")
    return {
        "embed": ("embed", photos, "--out", "out", *kit.embed),
        "fit": (*fit, "cnc"),
        "refit": (*fit, "erm"),
        "compare": (
            "compare",
            rows,
            "--methods",
            "erm,linear_probe",
            "--seeds",
            "2",
            "--jobs",
            "1",
            "--out",
            "out",
        ),
        "predict": ("predict", embedded / "s.run", photos, "--out", "out/p.csv", "--device", "cpu"),
        "import": ("import", *features, "--table", rows.parent / "rows.csv", "--out", "out"),
        "report": ("report", embedded / "s.run", "--no-saliency", "--out", "out/report.html"),
        "export": ("export", embedded / "s.run", "--to", "open_clip", "--out", "out"),
    }


def kills(name: str, count: int, seconds: float, writes: int) -> Iterator[dict[str, Any]]:
    """Yield instants: by the clock, which finds it at work, and by the file it is about to change."""
    for trial in range(count):
        rng = random.Random(f"{name} {trial}")
        if trial % 2:
            yield {"kill_after": rng.uniform(0, seconds)}
        else:
            yield {"kill_at": rng.randint(1, writes)}


@pytest.mark.parametrize("name", NAMES)
def test_killed_and_done_again(
    name: str, warm: Any, jobs: dict[str, Job], rows: Path, kit: SimpleNamespace, trials: int, tmp_path: Path
) -> None:
    job = jobs[name]

    def begin(folder: Path) -> dict[str, bytes]:
        if name == "refit":
            warm.good(folder, *jobs["fit"])
        return kit.contents(folder) if folder.exists() else {}

    begin(tmp_path / "whole")
    usual = warm.good(tmp_path / "whole", *job)
    whole = kit.contents(tmp_path / "whole")
    killed = 0
    for number, kill in enumerate(kills(name, trials, usual.seconds, usual.writes)):
        folder = tmp_path / str(number)
        before = begin(folder)
        done = warm.run(folder, *job, **kill)
        assert done.code in (0, -9), (kill, done)
        killed += done.code == -9
        found = kit.contents(folder)
        if name in ("fit", "refit") and found != before:
            assert_nothing_or_whole(folder / "out", found, whole, before)
        if name in ("predict", "export"):
            assert visible(found) in ({}, whole), kill
        if name == "report":  # a page, and three files of its own folder
            assert visible(found).items() <= whole.items(), kill
        if name == "import":
            assert_store_is_whole_or_none(folder / "out", found, whole)
        # A whole export is left alone by the same command: its folder must be new.
        if not (name == "export" and visible(found)):
            again = warm.run(folder, *job)
            assert again.code == 0, (kill, again)
            assert kit.contents(folder) == whole, kill
    assert killed >= trials // 2


def visible(found: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out what has a temporary name, or lies in a folder that has one."""
    return {name: content for name, content in found.items() if not TEMPORARY.search(name)}


def assert_store_is_whole_or_none(store: Path, found: dict[str, bytes], whole: dict[str, bytes]) -> None:
    """A store that can be read has all its bytes, and perhaps what the writer keeps until it has ended."""
    try:
        load_store(store)
    except EvenhandError:
        assert visible(found) != whole
    else:
        assert whole.items() <= visible(found).items()


def assert_nothing_or_whole(
    run: Path, found: dict[str, bytes], whole: dict[str, bytes], before: dict[str, bytes]
) -> None:
    """A folder with a card holds all that belongs to it, of one fit; one without is not a run."""
    if "out/card.json" not in found:
        with pytest.raises(EvenhandError, match=r"is not a run folder: it has no card\.json"):
            load_run(run)
        return
    load_run(run)
    fit = whole if found["out/card.json"] == whole["out/card.json"] else before
    assert {name: found[name] for name in fit} == fit
