"""What `evenhand demo` says at its end, and that `make demo` is that command."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evenhand._outputs import check_demo
from evenhand.cli.app import app
from evenhand.evaluation.results import Results
from evenhand.reports.source import read_source
from evenhand.runs import demo

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def quick(small_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of this session in place of minutes of drawing and fitting, which `make install-test` does."""

    def run_demo(out: Path, *, seeds: Sequence[int], progress: Any) -> Results:
        assert list(seeds) == [5, 6]
        shutil.copytree(small_run, demo.run_folder(out, seeds[0]), dirs_exist_ok=True)
        return Results.model_validate(read_source(small_run)[0])

    monkeypatch.setattr(demo, "run_demo", run_demo)


def test_the_last_line_is_the_path_of_the_page(quick: None, tmp_path: Path) -> None:
    out = tmp_path / "a folder whose name is so long that a terminal would fold it" / "demo"
    done = CliRunner().invoke(app, ["demo", "--out", str(out), "--seeds", "2", "--seed", "5"])
    assert done.exit_code == 0, done.exception
    page = out / "report.html"
    assert done.stdout.splitlines()[-1] == f"open {page.resolve()} in a browser"
    html = page.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "Embedding map" in html


def test_a_demo_runs_again_in_its_own_folder(quick: None, tmp_path: Path) -> None:
    for _ in range(2):
        done = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), "--seeds", "2", "--seed", "5"])
        assert done.exit_code == 0, done.stderr
    (tmp_path / "report-files" / "mine.txt").touch()
    done = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), "--seeds", "2", "--seed", "5"])
    assert done.exit_code == 1
    assert "report-files exists and holds mine.txt" in done.stderr


def test_as_json_there_is_no_last_line(quick: None, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), "--seeds", "2", "--seed", "5", "--json"])
    assert json.loads(done.stdout)["schema"] == 1
    assert (tmp_path / "report.html").is_file()


def test_a_folder_of_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "seed-0").mkdir()
    (tmp_path / "report-files").mkdir()
    for name in ("results.json", "report.html", ".DS_Store"):
        (tmp_path / name).touch()
    check_demo(tmp_path)
    (tmp_path / "photo.jpg").touch()
    done = CliRunner().invoke(app, ["demo", "--out", str(tmp_path)])
    told = f"error: --out: {tmp_path} holds other files, such as photo.jpg; name a new folder\n"
    assert (done.exit_code, done.stderr) == (1, told)
    assert not [*tmp_path.glob("seed-0/*")]


def test_make_demo_ends_with_that_command() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1].endswith("/evenhand demo --out out/demo")
