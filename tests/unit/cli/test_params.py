"""Values of `--param` are of the kinds that the method takes, or refused before the training."""

from typing import Any

import pytest

from evenhand import EvenhandError
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
