"""Whether training rows show a shortcut, without a fit."""

from dataclasses import replace

import numpy as np
import pytest

from evenhand import Head
from evenhand.audits import shortcut
from evenhand.audits.shortcut import look_for_shortcut, verdict_of_fit
from evenhand.data import FeatureTable
from evenhand.methods import Auto

CLASSES = ("cat", "dog")
HEAD = Head.from_text(np.eye(2, 8), CLASSES)


def world(rare: float, n: int = 1200) -> FeatureTable:
    """Return rows whose class is easy, and whose surroundings go with it but for a share of rows."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    side = y ^ (rng.random(n) < rare)
    X = 0.4 * rng.normal(size=(n, 8))
    X[np.arange(n), y] += 2
    X[np.arange(n), 2 + side] += 2
    return FeatureTable.from_arrays(X, np.array(CLASSES)[y], head=HEAD)


@pytest.mark.parametrize(("rare", "said"), [(0.1, "found"), (0.5, "no sign")])
def test_a_minority_that_contradicts_what_goes_with_the_label_is_found(rare: float, said: str) -> None:
    found = look_for_shortcut(world(rare), 0)
    assert found.shortcut == said, found.reason


def test_it_says_what_fit_says() -> None:
    table = world(0.1)
    train = table.rows("train")
    fitted = Auto(head=HEAD, repeats=2).fit(table.features(train), table.labels(train))
    assert verdict_of_fit(fitted.kept_).shortcut == look_for_shortcut(table, 0).shortcut


def test_a_method_that_does_not_look_has_said_nothing() -> None:
    assert verdict_of_fit({"candidate": "erm"}) is None


def test_a_sample_of_many_rows_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortcut, "ROWS", 500)
    found = look_for_shortcut(world(0.5), 0)
    assert "± 0.11" in found.reason, "√(6 / 500)"


def test_too_few_training_rows_cannot_tell() -> None:
    table = world(0.1, 40)
    kept = np.concatenate(
        [table.rows("train")[table.y[table.rows("train")] == c][:k] for c, k in ((0, 3), (1, 2))]
    )
    split = np.full(len(table), "test", dtype=table.split.dtype)
    split[kept] = "train"
    found = look_for_shortcut(replace(table, split=split), 0)
    assert (found.shortcut, found.reason) == ("cannot tell", "too few training rows to look for one")
