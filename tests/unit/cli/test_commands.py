"""What the commands themselves refuse, before the library is called."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evenhand import EvenhandError
from evenhand.cli.app import app
from evenhand.cli.fit import read_params


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_params() -> None:
    texts = ["epochs=50", "lr=1e-3", "preset=stable", "name=a=b", "flag=true"]
    wanted = {"epochs": 50, "lr": 1e-3, "preset": "stable", "name": "a=b", "flag": True}
    assert read_params(texts) == wanted


@pytest.mark.parametrize("texts", [["epochs"], ["=5"], ["a=1", "a=2"]])
def test_params_without_name_or_value_or_twice(texts: list[str]) -> None:
    with pytest.raises(EvenhandError, match=r"--param: got .*; give each parameter once as NAME=VALUE"):
        read_params(texts)


def test_predict_wants_images_or_features(tmp_path: Path) -> None:
    for more in ((), ("photos", "--features", "x.npy")):
        done = run("predict", str(tmp_path), *more)
        assert done.exit_code == 1
        assert done.stderr == "error: predict takes images or --features X.npy; give exactly one of the two\n"


def test_predictions_are_not_called_what_they_are_not(tmp_path: Path) -> None:
    done = run("predict", str(tmp_path), "--features", "x.npy", "--out", "p.xlsx")
    assert done.exit_code == 1
    assert done.stderr == "error: --out: p.xlsx would be CSV whatever its name; call it p.csv\n"


def test_a_missing_folder_of_a_model_is_named_before_the_images_are_read(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    out = ("--out", str(tmp_path / "s.store"))
    done = run("embed", str(tmp_path / "photos"), "--model", f"local-dir:{tmp_path}/none", *out)
    assert done.exit_code == 1
    assert done.stderr.startswith(
        f"error: model folder {tmp_path}/none does not exist or is not a folder; check"
    )


@pytest.mark.parametrize(("option", "value"), [("--workers", "2"), ("--precision", "bf16")])
def test_features_need_nothing_of_the_model(option: str, value: str, tmp_path: Path) -> None:
    done = run("predict", str(tmp_path), "--features", "x.npy", option, value)
    assert done.exit_code == 1
    assert done.stderr == f"error: {option} applies to images, but --features was given; leave one out\n"


def test_a_working_folder_that_was_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    done = run("doctor")
    assert (done.exit_code, done.stderr) == (1, "error: the working folder was removed; go to another\n")
