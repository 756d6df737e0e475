from typing import Any

import pytest

from evenhand.evaluation.labels import label
from evenhand.methods.registry import METHODS
from evenhand.reports.model_style import column_styles, column_titles, distinct_methods, model_style


def row(method: str, seed: int, value: float, candidate: str | None = None) -> dict[str, Any]:
    kept = None if candidate is None else {"candidate": candidate}
    rate = {"name": "gull", "n": 100, "value": value}
    return {"method": method, "seed": seed, "kept": kept, "classes": [rate], "groups": []}


def test_no_two_methods_share_color_and_mark_and_a_label_has_those_of_its_name() -> None:
    names = sorted({"zero_shot", *METHODS})
    assert len({model_style(name) for name in names}) == len(names)
    assert [model_style(name) for name in names] == [model_style(label(name)) for name in names]
    assert model_style("class_centroids") == model_style("zero_shot") == "m0 s0"
    assert model_style("of_a_plugin") == model_style("of_a_plugin")


@pytest.mark.parametrize(
    ("candidate", "title", "style"),
    [("zero-shot", "CFR → kept zero-shot", "m0 s0"), ("ERM (L2 1/n)", "CFR → kept ERM (L2 1/n)", "m1 s1")],
)
def test_a_column_says_what_was_kept_and_looks_like_it(candidate: str, title: str, style: str) -> None:
    rows = [row("zero_shot", 0, 0.5), row("cfr", 0, 0.5, candidate)]
    assert column_titles(rows) == {"cfr": title}
    assert column_styles(rows) == {"cfr": style}


def test_a_repair_on_one_seed_is_a_model_of_its_own() -> None:
    rows = [row("cfr", 0, 0.5, "zero-shot"), row("cfr", 1, 0.6, "epoch 3")]
    assert column_titles(rows) == column_styles(rows) == {}


def test_figures_are_not_repeated_under_another_name() -> None:
    rows = [row("zero_shot", 0, 0.5), row("erm", 0, 0.6), row("cfr", 0, 0.5, "zero-shot")]
    assert distinct_methods(rows) == ["erm", "cfr"]
    other = [*rows[:2], row("cfr", 0, 0.51, "zero-shot")]
    assert distinct_methods(other) == ["zero_shot", "erm", "cfr"]
