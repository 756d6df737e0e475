"""Presets have the settings that the specification states."""

import re

import pytest
from tests.script import ROOT

from evenhand.methods.cfr.loss_terms import Calibration
from evenhand.methods.cfr.presets import PUBLISHED_CODE, PUBLISHED_SIMILARITY, STABLE
from evenhand.methods.cfr.recipe import Recipe

PAGE = (ROOT / "docs" / "explanation" / "specification.md").read_text(encoding="utf-8")


def numbers(pattern: str, text: str) -> list[float]:
    """Return the numbers of the first match; a group that is absent counts as 1."""
    found = re.search(pattern, text)
    assert found, pattern
    return [float(group) for group in found.groups(default="1")]


@pytest.mark.parametrize(
    ("preset", "recipe"),
    [("default", STABLE), ("published-similarity", PUBLISHED_SIMILARITY), ("published-code", PUBLISHED_CODE)],
)
def test_a_preset_has_the_settings_of_the_specification(preset: str, recipe: Recipe) -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{preset}` |"))
    (calibration,) = (term for term in recipe.terms if isinstance(term, Calibration))
    assert [calibration.weight, calibration.temperature] == numbers(
        r"(?:([\d.]+) × )?L_cal at τ = ([\d.]+)", line
    )
    assert {term.weight for term in recipe.terms if term is not calibration} == {1.0}
    assert [recipe.sgd.learning_rate, recipe.sgd.epochs] == numbers(
        r"learning rate ([\d.e-]+), (\d+) epochs", line
    )
    assert [recipe.schedule] == (numbers(r"a\(e\) = 1 \+ ([\d.]+) cos", PAGE) if "a(e)" in line else [0])
    assert [recipe.dropout] == (numbers(r"dropout ([\d.]+)", line) if "dropout" in line else [0])
    assert recipe.balanced == ("equally many of every class" in line)


def test_the_optimizer_has_the_settings_of_the_specification() -> None:
    stated = numbers(r"momentum ([\d.]+), weight decay ([\d.e-]+) and batch (\d+)", PAGE)
    for recipe in (STABLE, PUBLISHED_SIMILARITY):
        assert [recipe.sgd.momentum, recipe.sgd.weight_decay, recipe.sgd.batch_size] == stated
