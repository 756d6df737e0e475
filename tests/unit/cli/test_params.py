"""Values of `--param` are of the kinds that the method takes, or refused before the training."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evenhand import EvenhandError, _plugins
from evenhand.cli.app import app
from evenhand.cli.params import check_params, chosen_by


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("erm", {"epochs": 3, "learning_rate": 1, "batch_size": 8}),
        ("erm", {"epochs": None, "learning_rate": 1e-3}),
        ("linear_probe", {"Cs": [0.1, 1]}),
        ("cfr", {"folds": 2, "preset": "published-similarity", "reference": "erm"}),
        ("linear_probe", {"class_weight": {"a": 2, "b": 0.5}}),
    ],
)
def test_what_fits(method: str, params: dict[str, Any]) -> None:
    check_params(method, params)


@pytest.mark.parametrize(
    ("method", "name", "value", "sentence"),
    [
        ("erm", "epochs", "abc", "--param: epochs got 'abc', but erm needs a whole number or null"),
        ("erm", "epochs", 1.5, "--param: epochs got 1.5, but erm needs a whole number or null"),
        ("erm", "batch_size", True, "--param: batch_size got True, but erm needs a whole number"),
        ("erm", "learning_rate", [1], r"--param: learning_rate got \[1\], but erm needs a number or null"),
        ("linear_probe", "Cs", [1, "x"], "but linear_probe needs a list, each a number"),
        (
            "cfr",
            "evidence",
            1,
            "evidence got 1, but cfr needs an object that only Python code can pass or null",
        ),
        (
            "cfr",
            "preset",
            "wild",
            "--param: preset: 'wild' is unknown; the allowed values are default, grid,",
        ),
        ("linear_probe", "class_weight", {"a": "x"}, "needs a mapping, each a number or balanced or null"),
        ("linear_probe", "class_weight", "even", "values are a mapping, each a number, balanced, null"),
        (
            "wise_ft",
            "rule",
            "worst_group",
            "--param: rule: 'worst_group' is unknown; the allowed values are accuracy,",
        ),
        ("erm", "epochs", -1, "^epochs must be at least 1, but it is -1$"),
        ("jtt", "upweight", -1, "^upweight must be at least 0, but it is -1; the default is 20$"),
        ("dfr", "Cs", [], "^Cs must be a list of numbers, at least one and each above 0"),
        ("erm", "nope", 1, "^erm takes no parameter 'nope'; it takes batch_size, epochs"),
        ("erm", "head", "x", "--param: head is set by the store; leave it out"),
        ("erm", "random_state", 3, "--param: random_state is set by --seed; leave it out"),
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
            "--preprocess: 'size=8' cannot be used with model tiny",
        ),
        *(
            (f"{command} --model local-dir:gone", "gone does not exist or is not a folder")
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


def test_a_plug_in_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name, value = "mine", "evenhand.methods.auto.estimator:Auto"

    monkeypatch.setattr(
        _plugins, "entry_points", lambda group: [Point] if group == "evenhand.methods" else []
    )
    with pytest.raises(EvenhandError, match="folds got 'x', but mine needs a whole number"):
        check_params("mine", {"folds": "x"})
    check_params("mine", {"folds": -1, "unknown": "left to make"})
    assert chosen_by("mine", "auroc") == chosen_by("auto", "auroc") == {"metric": "auroc"}
    assert chosen_by("auto", "accuracy") == chosen_by("auto", "f1") == chosen_by("erm", "auroc") == {}
