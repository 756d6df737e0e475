from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from evenhand import EvenhandError, _plugins
from evenhand.datasets import registry
from evenhand.datasets.base import Dataset


@pytest.mark.parametrize("name", registry.DATASETS)
def test_every_benchmark_keeps_the_contract(name: str) -> None:
    cls: Any = registry.dataset_class(name)
    assert issubclass(cls, Dataset)
    assert is_dataclass(cls)
    for parameter in fields(cls):
        assert parameter.default is not MISSING or parameter.default_factory is not MISSING, parameter.name
    assert cls.title
    assert cls.layout
    assert isinstance(registry.make(name).prompts(), dict)


def test_unknown_names_are_told_with_those_there_are() -> None:
    with pytest.raises(
        EvenhandError, match="benchmark: 'waterbird' is unknown; the allowed values are scenes, w"
    ):
        registry.make("waterbird")
    with pytest.raises(
        EvenhandError, match="waterbirds takes no parameter 'seed'; it takes corrected, expected"
    ):
        registry.make("waterbirds", seed=1)


def test_plug_ins_enter_by_the_same_door(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name, value = "mine", "evenhand.datasets.scenes:Scenes"

    monkeypatch.setattr(
        _plugins, "entry_points", lambda group: [Point] if group == "evenhand.datasets" else []
    )
    assert registry.names()[-1] == "mine"
    assert registry.make("mine", seed=3) == registry.make("scenes", seed=3)


def test_the_how_to_names_every_benchmark_and_parameter() -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/benchmarks.md").read_text(encoding="utf-8")
    files, _, _ = page.partition("## Download")
    rows = {line.split("`")[1]: line for line in files.splitlines() if line.startswith("| `")}
    assert list(rows) == list(registry.DATASETS)
    for name, row in rows.items():
        parameters: Any = registry.dataset_class(name)
        told = ", ".join(f"`{parameter.name}`" for parameter in fields(parameters))
        assert row.endswith(f"| {told} |")


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        (
            {"correlation": 1.5},
            "^correlation must be .* at most 1, but it is 1.5; the default is 0.95$",
        ),
        ({"noise": -0.1}, "^noise must be at least 0 and at most 1, but it is -0.1; the default is 0$"),
        ({"imbalance": 0.5}, "^imbalance must be at least 1, but it is 0.5; the default is 1$"),
        ({"train": 0}, "^train must be at least 1, but it is 0; the default is 4800$"),
        ({"test": 1.5}, "^test must be a whole number, at least 1, but it is 1.5; the default is 3000$"),
        ({"seed": -1}, "^seed must be at least 0, but it is -1; the default is 0$"),
    ],
)
def test_numbers_out_of_range_are_refused_when_a_benchmark_is_made(params: Any, sentence: str) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        registry.make("composites", **params)
