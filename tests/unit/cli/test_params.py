"""Values of `--param` are of the kinds that the method takes, or refused before the training."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evenhand import EvenhandError
from evenhand.cli.app import app
from evenhand.cli.params import check_params


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("erm", {"epochs": 3, "learning_rate": 1, "batch_size": 8}),
        ("erm", {"epochs": None, "learning_rate": 1e-3}),
        ("linear_probe", {"Cs": [0.1, 1]}),
        ("cfr", {"folds": 2, "preset": "published-similarity", "unknown": "left to the registry"}),
    ],
)
def test_what_fits(method: str, params: dict[str, Any]) -> None:
    check_params(method, params)


@pytest.mark.parametrize(
    ("method", "name", "value", "sentence"),
    [
        ("erm", "epochs", "abc", "--param: epochs got 'abc', but erm takes a whole number or null there"),
        ("erm", "epochs", 1.5, "--param: epochs got 1.5, but erm takes a whole number or null there"),
        ("erm", "batch_size", True, "--param: batch_size got True, but erm takes a whole number there"),
        ("erm", "learning_rate", [1], r"--param: learning_rate got \[1\], but erm takes a number or null"),
        ("linear_probe", "Cs", [1, "x"], "but linear_probe takes a list, each a number there"),
        (
            "cfr",
            "evidence",
            1,
            "evidence got 1, but cfr takes an object that only Python can give or null there",
        ),
        ("erm", "head", "x", "--param: head is given by the store; leave it out"),
        ("erm", "random_state", 3, "--param: random_state is given by --seed; leave it out"),
    ],
)
def test_what_does_not_fit(method: str, name: str, value: Any, sentence: str) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        check_params(method, {name: value})


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("fit gone.store --param nope=3 --out x.run", "auto takes no parameter 'nope'; it takes folds, head"),
        (
            "embed photos --model tiny --preprocess size=8 --out x.store",
            "--preprocess: 'size=8' does not go with model tiny",
        ),
        *(
            (f"{command} --model local-dir:gone", "model folder gone does not exist")
            for command in ("predict gone.run photos", "report gone.run", "export gone.run --to onnx --out x")
        ),
    ],
)
def test_what_a_method_or_a_model_does_not_take_is_reported_before_anything_is_read(
    line: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    done = CliRunner().invoke(app, line.split())
    assert done.exit_code == 1
    assert sentence in " ".join(done.stderr.split())
