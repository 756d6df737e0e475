import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evenhand.cli import doctor
from evenhand.cli.app import app


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["doctor", *arguments])


def test_json_and_table_hold_the_same() -> None:
    done = run("--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 0
    assert found["ok"] is True
    assert found["versions"]["torch"]
    assert "cpu" in found["devices"]
    assert set(found["extras"]) == {"hf", "ray", "onnx", "heif", "excel"}
    drawn = run().stdout
    assert found["versions"]["torch"] in drawn
    assert "embedded model" in drawn


def test_a_folder_that_cannot_be_written_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def refuse(**_: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    done = run()
    assert done.exit_code == 1
    assert "Permission denied" in done.stdout


def test_a_working_folder_that_is_gone_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert not doctor._working_folder()["ok"]


def test_a_damaged_embedded_model_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> None:
        raise RuntimeError("no weights")

    monkeypatch.setattr("evenhand.backbones.tiny.load_tiny", damaged)
    done = run("--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["checks"]["embedded model"]["detail"] == "RuntimeError: no weights"
