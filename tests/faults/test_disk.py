"""A disk that is full or read-only is one sentence, leaves no temporary file, and loses nothing."""

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

Job = tuple[Any, ...]
SMALLEST = 1_000
"""Bytes of a file at least: what a command says goes into a file too."""


@pytest.fixture
def jobs(photos: Path, embedded: Path, rows: Path, kit: SimpleNamespace) -> dict[str, Job]:
    run, features = embedded / "s.run", ("--features", rows.parent / "X.npy")
    return {
        "embed": ("embed", photos, "--out", "out", *kit.embed),
        "import": ("import", *features, "--table", rows.parent / "rows.csv", "--out", "out"),
        "fit": ("fit", rows, "--method", "cnc", "--param", "epochs=2", "--out", "out"),
        "compare": ("compare", rows, "--methods", "erm", "--seeds", "1", "--jobs", "1", "--out", "out"),
        "predict": ("predict", run, photos, "--out", "out/p.csv", "--device", "cpu"),
        "report": ("report", run, "--no-saliency", "--out", "out/report.html"),
        "export": ("export", run, "--to", "open_clip", "--out", "out"),
    }


NAMES = ("embed", "import", "fit", "compare", "predict", "report", "export")


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk(
    name: str, warm: Any, jobs: dict[str, Job], kit: SimpleNamespace, trials: int, tmp_path: Path
) -> None:
    warm.good(tmp_path / "whole", *jobs[name])
    whole = kit.contents(tmp_path / "whole")
    largest = max(map(len, whole.values()))
    for number in range(1 if name in ("report", "export") else trials):
        folder, limit = (
            tmp_path / str(number),
            random.Random(f"{name} {number}").randint(SMALLEST, largest - 1),
        )
        sentence = warm.refused(folder, *jobs[name], file_size=limit)
        assert "cannot write" in sentence
        assert "File too large" in sentence
        left = kit.contents(folder)
        assert not [file for file in left if file.endswith(".tmp")]
        if name not in ("embed", "import", "compare"):
            assert left == {}
        warm.good(folder, *jobs[name])
        assert kit.contents(folder) == whole


@pytest.mark.parametrize("name", ["fit", "predict"])
def test_what_was_there_survives_a_full_disk(
    name: str, warm: Any, jobs: dict[str, Job], kit: SimpleNamespace, tmp_path: Path
) -> None:
    warm.good(tmp_path, *jobs[name])
    before = kit.contents(tmp_path)
    warm.refused(tmp_path, *jobs[name], file_size=SMALLEST)
    assert kit.contents(tmp_path) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_read_only_target(
    name: str, warm: Any, jobs: dict[str, Job], kit: SimpleNamespace, tmp_path: Path
) -> None:
    folder = tmp_path / "target"
    folder.mkdir(mode=0o555)
    try:
        assert "ermission" in warm.refused(folder, *jobs[name], powerless=True)
    finally:
        folder.chmod(0o755)
    assert kit.contents(folder) == {}


def test_stores_and_runs_are_read_where_nothing_may_be_written(
    warm: Any, embedded: Path, photos: Path, tmp_path: Path
) -> None:
    folders = [embedded, *(path for path in embedded.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        for command in (
            ("audit", embedded / "s.store"),
            ("predict", embedded / "s.run", photos, "--out", "p.csv", "--device", "cpu"),
        ):
            assert warm.run(tmp_path, *command, powerless=True).code == 0
    finally:
        for folder in folders:
            folder.chmod(0o755)
