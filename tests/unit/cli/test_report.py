import json
import shutil
from pathlib import Path

from typer.testing import CliRunner

from evenhand.cli.app import app


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["report", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_a_run_becomes_a_page(small_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    code, stdout, _ = run(small_run, "--out", out, "--no-saliency", "--json", "--device", "cpu")
    assert code == 0
    assert json.loads(stdout) == {"out": str(out), "bytes": out.stat().st_size}
    html = out.read_text(encoding="utf-8")
    assert "Embedding map" in html
    assert "Saliency was left out." in html
    assert "<dt>erm</dt><dd>SGD(" in html


def test_results_without_a_run_have_no_pictures(small_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "compare"
    folder.mkdir()
    shutil.copy(small_run / "results.json", folder)
    code, stdout, _ = run(folder, "--out", tmp_path / "page.html")
    assert (code, stdout) == (0, f"written to {tmp_path / 'page.html'}\n")
    assert "Embedding map" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_folder_without_results_is_one_sentence(tmp_path: Path) -> None:
    code, _, stderr = run(tmp_path, "--out", tmp_path / "page.html")
    assert code == 1
    assert stderr.startswith("error: ")
    assert not (tmp_path / "page.html").exists()
