"""What the guard promises: noise does not replace ERM, inversion never does, a mended shortcut does."""

import numpy as np
import pytest

from evenhand.methods.cfr import CFR
from evenhand.selection.evidence import VERDICT_NONE, Evidence


def world(seed: int, correlation: float, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return X [N, 16], y, attribute: a weak core direction, a strong attribute direction, label noise."""
    generator = np.random.default_rng(seed)
    n = 1000
    y = generator.integers(0, 2, n)
    attribute = np.where(generator.random(n) < correlation, y, 1 - y)
    X = generator.normal(size=(n, 16)).astype(np.float32)
    X[:, 0] += 2.5 * (2 * y - 1)
    X[:, 1] += 4 * (2 * attribute - 1)
    observed = np.where(generator.random(n) < noise, 1 - y, y)
    return X, observed, attribute


def test_erm_is_kept_in_at_least_95_percent_of_seeds_when_there_is_only_noise() -> None:
    kept = []
    for seed in range(20):
        X, y, _ = world(seed, 0.5, 0.1)
        model = CFR(random_state=seed).fit(X, y)
        assert model.kept_ is not None
        kept.append(model.kept_["candidate"] == "erm")
        if kept[-1]:
            assert VERDICT_NONE in model.kept_["reason"]
    assert sum(kept) >= 19


def test_the_inverted_classifier_is_never_chosen() -> None:
    generator = np.random.default_rng(0)
    for seed in range(50):
        y = generator.integers(0, 2, 300)
        erm = np.where(generator.random(300) < generator.uniform(0.5, 0.95), y, 1 - y)
        cells = 2 * y + (erm == y)
        choice = Evidence().choose(["inverted"], (1 - erm)[None], erm, y, cells, seed)
        assert choice.candidate == "erm"


def test_random_flips_do_not_replace_erm_even_on_its_own_errors() -> None:
    generator = np.random.default_rng(1)
    replaced = 0
    for seed in range(100):
        y = generator.integers(0, 2, 400)
        erm = np.where(generator.random(400) < 0.9, y, 1 - y)
        flips = np.where(generator.random((10, 400)) < 0.08, 1 - erm, erm)
        cells = 2 * y + (erm == y)
        replaced += Evidence().choose([*"abcdefghij"], flips, erm, y, cells, seed).index is not None
    assert replaced <= 5


def test_a_mended_shortcut_replaces_erm() -> None:
    y = np.repeat([0, 1], 200)
    minority = np.tile(np.arange(200) < 30, 2)
    erm = np.where(minority, 1 - y, y)
    mended = np.where(minority & (np.arange(400) % 4 == 0), 1 - y, y)
    choice = Evidence().choose(["mended"], mended[None], erm, y, 2 * y + ~minority, 0)
    assert choice.candidate == "mended"
    assert choice.low is not None
    assert choice.low > 0


@pytest.mark.parametrize("rows", [0, 4])
def test_too_few_rows_are_no_evidence(rows: int) -> None:
    y = np.zeros(rows, dtype=np.int64)
    choice = Evidence().choose(["a"], y[None], y, y, y, 0)
    assert choice.candidate == "erm"
    assert "fewer than two cells" in choice.reason


def test_calibration_reduces_the_gap_between_groups_where_the_shortcut_is_real() -> None:
    X, y, _ = world(0, 0.95, 0.0)
    model = CFR(random_state=0).fit(X, y)
    T, t, a = world(1, 0.5, 0.0)

    def worst(predicted: np.ndarray) -> float:
        return min(float((predicted == t)[(t == c) & (a == k)].mean()) for c in (0, 1) for k in (0, 1))

    erm = model.erm_.logits(T).argmax(axis=1)
    assert worst(model.predict(T)) >= worst(erm)
