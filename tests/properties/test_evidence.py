"""What the guard promises: noise does not replace ERM, inversion never does, a mended shortcut does."""

from dataclasses import replace

import numpy as np
import pytest

from evenhand import EvenhandError, Head
from evenhand.methods.cfr.estimator import CFR
from evenhand.selection.erm_guard import NONE_PASSED, Evidence
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import find_rule

NAMES = np.array(["left", "right"])


def head() -> Head:
    """Return a head whose text knows the core direction and nothing else."""
    text = np.zeros((2, 16), dtype=np.float32)
    text[:, 0] = -1, 1
    return Head(np.eye(16, dtype=np.float32), None, tuple(NAMES.tolist()), text)


def world(
    seed: int, correlation: float, noise: float, n: int = 1500
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return X [n, 16], y, attribute: a weak core direction, a strong attribute direction, label noise."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, n)
    attribute = np.where(generator.random(n) < correlation, y, 1 - y)
    X = generator.normal(size=(n, 16)).astype(np.float32)
    X[:, 0] += 1.5 * (2 * y - 1)
    X[:, 1] += 4 * (2 * attribute - 1)
    observed = np.where(generator.random(n) < noise, 1 - y, y)
    return X, observed, attribute


@pytest.mark.parametrize(
    ("correlation", "reason"),
    [(0.5, "nothing but the class names tells"), (1.0, "no candidate gains on rows whose labels can be")],
    ids=["an attribute of no use", "an attribute that is the class"],
)
def test_erm_is_kept_in_at_least_95_percent_of_seeds_when_there_is_only_noise(
    correlation: float, reason: str
) -> None:
    reasons = []
    for seed in range(20):
        X, y, _ = world(seed, correlation, 0.1, n=700)
        model = CFR(head(), random_state=seed).fit(X, NAMES[y])
        assert model.kept_ is not None
        reasons.append(model.kept_["reason"])
    assert sum(NONE_PASSED in told for told in reasons) >= 19
    assert sum(reason in told for told in reasons) >= 10


@pytest.mark.parametrize("seed", range(3))
def test_a_shortcut_is_mended_where_there_is_one(seed: int) -> None:
    X, y, _ = world(seed, 0.95, 0.0)
    model = CFR(head(), random_state=seed).fit(X, NAMES[y])
    assert model.kept_ is not None
    assert model.kept_["candidate"] != "erm"
    T, t, a = world(seed + 100, 0.5, 0.0)

    def worst(predicted: np.ndarray) -> float:
        return min(float((predicted == t)[(t == c) & (a == k)].mean()) for c in (0, 1) for k in (0, 1))

    erm = model.erm_.logits(T).argmax(axis=1)
    assert worst(np.searchsorted(NAMES, model.predict(T))) >= worst(erm) + 0.1


def judged(y: np.ndarray, erm: np.ndarray, shortcut: np.ndarray, zero_shot: np.ndarray) -> HeldOutPredictions:
    return HeldOutPredictions(y, zero_shot, np.eye(2, dtype=np.float32)[erm], shortcut)


@pytest.mark.parametrize("rule", ["worst_class", "worst_cell", "balanced_cell", "shortcut_cell"])
def test_the_inverted_classifier_is_never_chosen(rule: str) -> None:
    generator = np.random.default_rng(0)
    for seed in range(50):
        y = generator.integers(0, 2, 300)
        erm = np.where(generator.random(300) < generator.uniform(0.55, 0.95), y, 1 - y)
        shortcut = np.where(generator.random(300) < 0.9, erm, 1 - erm)
        rows = judged(y, erm, shortcut, y)
        choice = Evidence(find_rule(rule)).choose(["inverted"], (1 - erm)[None], rows, seed)
        assert choice.candidate == "erm"


@pytest.mark.parametrize("rule", ["worst_cell", "balanced_cell", "shortcut_cell"])
def test_random_flips_do_not_replace_erm_even_on_its_own_errors(rule: str) -> None:
    generator = np.random.default_rng(1)
    replaced = 0
    for seed in range(100):
        y = generator.integers(0, 2, 400)
        erm = np.where(generator.random(400) < 0.9, y, 1 - y)
        flips = np.where(generator.random((10, 400)) < 0.08, 1 - erm, erm)
        rows = judged(y, erm, erm, y)
        choice = Evidence(find_rule(rule), n_resamples=200).choose([*"abcdefghij"], flips, rows, seed)
        replaced += choice.index is not None
    assert replaced <= 5


def mended() -> tuple[HeldOutPredictions, np.ndarray]:
    """Return a world where ERM follows the attribute, and a candidate that mends most of the minority."""
    y = np.repeat([0, 1], 200)
    minority = np.tile(np.arange(200) < 30, 2)
    attribute = np.where(minority, 1 - y, y)
    candidate = np.where(minority & (np.arange(400) % 4 == 0), 1 - y, y)
    return judged(y, attribute, attribute, y), candidate


def test_a_mended_shortcut_replaces_erm() -> None:
    rows, candidate = mended()
    choice = Evidence().choose(["mended"], candidate[None], rows, 0)
    assert choice.candidate == "mended"
    assert choice.low is not None
    assert choice.low > 0


def test_a_gain_on_rows_that_look_mislabelled_is_no_evidence() -> None:
    rows, candidate = mended()
    noisy = replace(rows, zero_shot=rows.erm)
    choice = Evidence().choose(["memory of noise"], candidate[None], noisy, 0)
    assert choice.candidate == "erm"
    assert "no candidate gains on rows whose labels can be trusted" in choice.reason


def test_what_costs_many_right_rows_is_not_admissible() -> None:
    rows, candidate = mended()
    broken = np.where(np.arange(400) % 5 == 1, 1 - candidate, candidate)
    choice = Evidence().choose(["broken"], broken[None], rows, 0)
    assert choice.candidate == "erm"
    assert "loses more than 10 % of the rows where ERM is correct" in choice.reason


@pytest.mark.parametrize("rows", [0, 4])
def test_too_few_rows_are_no_evidence(rows: int) -> None:
    y = np.zeros(rows, dtype=np.int64)
    choice = Evidence().choose(["a"], y[None], judged(y, y, y, y), 0)
    assert choice.candidate == "erm"
    assert NONE_PASSED in choice.reason
    assert "too few held-out rows" in choice.reason


def test_a_confidence_outside_0_and_1_is_refused() -> None:
    with pytest.raises(EvenhandError, match="confidence must be above 0 and below 1"):
        Evidence(confidence=1.0)


def test_rows_that_all_look_mislabelled_are_no_evidence() -> None:
    y = np.repeat([0, 1], 20)
    rows = HeldOutPredictions(y=y, zero_shot=1 - y, erm_logits=np.eye(2, dtype=np.float32)[1 - y], shortcut=y)
    choice = Evidence().choose(["a"], y[None], rows, 0)
    assert choice.candidate == "erm"
    assert "every held-out row looks mislabeled" in choice.reason


def test_plain_accuracy_has_one_cell_and_can_still_choose() -> None:
    y = np.repeat([0, 1], 200)
    erm = np.where(np.arange(400) % 4 == 0, 1 - y, y)
    choice = Evidence(find_rule("accuracy")).choose(["right"], y[None], judged(y, erm, erm, y), 0)
    assert choice.candidate == "right"


def test_a_bound_of_zero_replaces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.repeat([0, 1], 200)
    erm = np.where(np.arange(400) % 4 == 0, 1 - y, y)
    monkeypatch.setattr(Evidence, "_excess", lambda _self, _right, _erm, gain, *_: float(gain[0]))
    monkeypatch.setattr(Evidence, "_chance", lambda *_: 0.0)
    choice = Evidence(find_rule("accuracy")).choose(["right"], y[None], judged(y, erm, erm, y), 0)
    assert (choice.candidate, choice.low) == ("erm", 0.0)


@pytest.mark.parametrize(("lost", "kept"), [(40, True), (41, False)])
def test_a_tenth_of_the_correct_rows_may_be_lost_and_no_more(lost: int, kept: bool) -> None:
    """400 rows that ERM classifies correctly, 100 that it does not and the candidate does."""
    y = np.repeat([0, 1], 250)
    erm = np.where(np.arange(500) % 250 < 50, 1 - y, y)
    candidate = y.copy()
    candidate[np.flatnonzero(erm == y)[:lost]] = 1 - y[np.flatnonzero(erm == y)[:lost]]
    choice = Evidence().choose(["a"], candidate[None], judged(y, erm, erm, y), 0)
    assert choice.trials[0]["retention"] == pytest.approx(1 - lost / 400)
    assert ("every candidate loses" not in choice.reason) is kept
    assert (choice.candidate == "a") is kept


def test_the_chance_gain_is_that_of_random_flips() -> None:
    """Of C classes a wrong row becomes correct with its flip rate over C − 1."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 4, 4000)
    erm = np.where(generator.random(4000) < 0.7, y, (y + generator.integers(1, 4, 4000)) % 4)
    flipped = generator.random(4000) < 0.1
    candidate = np.where(flipped, (erm + generator.integers(1, 4, 4000)) % 4, erm)
    rows = HeldOutPredictions(y, y, np.eye(4, dtype=np.float32)[erm], erm)
    choice = Evidence(find_rule("accuracy")).choose(["a"], candidate[None], rows, 0)
    expected = []
    for _ in range(200):
        flips = generator.random(4000) < 0.1
        drawn = np.where(flips, (erm + generator.integers(1, 4, 4000)) % 4, erm)
        expected.append((drawn == y).mean() - (erm == y).mean())
    chance = Evidence(find_rule("accuracy"))._chance(candidate, rows, find_rule("accuracy").partition(rows))
    assert chance == pytest.approx(np.mean(expected), abs=0.005)
    assert choice.candidate == "erm"


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_chance_is_the_gain_of_flips_that_are_blind_to_the_truth(classes: int) -> None:
    """A right row turns wrong at the rate of its predicted class; a wrong one hits 1 of C − 1 classes."""
    generator = np.random.default_rng(classes)
    y = np.arange(300 * classes) % classes
    erm, candidate, cell = (
        np.where(generator.random(len(y)) < share, y, generator.integers(0, classes, len(y)))
        for share in (0.7, 0.9, 0.5)
    )
    rows = HeldOutPredictions(y, y, np.eye(classes, dtype=np.float32)[erm], cell)
    chance = Evidence().choose(["mended"], candidate[None], rows, 0).chance
    flips = [np.mean([candidate[i] != c for i in range(len(y)) if erm[i] == c]) for c in range(classes)]
    gains: dict[tuple[int, int], list[float]] = {}
    for i in range(len(y)):
        rate = flips[erm[i]]
        gains.setdefault((y[i], cell[i]), []).append(-rate if erm[i] == y[i] else rate / (classes - 1))
    assert chance == pytest.approx(np.mean([np.mean(each) for each in gains.values()]))
