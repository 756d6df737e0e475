"""Diagnostics of the shortcut probe, and when they end calibration."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from evenhand import EvenhandError
from evenhand.selection.erm_guard import NONE_PASSED, Evidence
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.probe_check import (
    ProbeDiagnostics,
    ProbeSanityCheck,
    above_chance,
    within_class_correlation,
)
from evenhand.selection.rules import find_rule


def rows(core: np.ndarray, probe: np.ndarray, y: np.ndarray, erm: np.ndarray) -> HeldOutPredictions:
    """Return two-class rows by the signed evidence for the true class: zero-shot's, and the probe's."""
    return HeldOutPredictions(
        y=y,
        zero_shot=np.where(core > 0, y, 1 - y),
        erm_logits=np.eye(2, dtype=np.float32)[erm],
        shortcut=np.where(probe > 0, y, 1 - y),
        zero_shot_margin=core.astype(np.float32),
        shortcut_margin=probe.astype(np.float32),
    )


def world(seed: int, *, shortcut: bool) -> tuple[HeldOutPredictions, np.ndarray]:
    """Return rows whose probe reads an attribute, or the class; and a candidate that mends half of it."""
    generator = np.random.default_rng(seed)
    n = 2000
    y = generator.integers(0, 2, n)
    core = 1.5 + generator.normal(size=n)
    minority = generator.random(n) < 0.1
    attribute = np.where(minority, -2, 2) + 0.3 * generator.normal(size=n)
    probe = attribute if shortcut else 0.7 * core + 0.4 * generator.normal(size=n)
    erm = np.where((probe > 0) | (generator.random(n) < 0.3), y, 1 - y)
    candidate = np.where(generator.random(n) < 0.5, y, erm)
    return rows(core, probe, y, erm), candidate


def test_competence_is_zero_shots_accuracy_above_chance_over_erms() -> None:
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    core = np.array([1.0, 1, 1, -1, 1, 1, 1, -1])
    erm = np.array([0, 0, 0, 0, 1, 1, 1, 0])
    found = ProbeDiagnostics.of(rows(core, np.ones(8), y, erm))
    assert found.competence == pytest.approx((0.75 - 0.5) / (0.875 - 0.5))


def test_a_probe_that_reads_an_attribute_is_vouched_for() -> None:
    judged, candidate = world(0, shortcut=True)
    heard = ProbeDiagnostics.of(judged)
    assert ProbeSanityCheck().objection(heard) is None
    assert abs(heard.agreement) < 0.1
    assert heard.support > 0.95
    assert Evidence().choose(["mended"], candidate[None], judged, 0).candidate == "mended"


@pytest.mark.parametrize("seed", range(5))
def test_a_probe_that_reads_the_class_is_no_evidence_however_large_the_gain(seed: int) -> None:
    judged, candidate = world(seed, shortcut=False)
    choice = Evidence().choose(["mended"], candidate[None], judged, 0)
    assert choice.candidate == "erm"
    assert choice.reason.startswith(f"{NONE_PASSED}: the shortcut probe errs where zero-shot errs too")
    assert choice.testimony is not None
    assert choice.testimony["agreement"] > 0.4
    unheard = Evidence(probe_check=None).choose(["mended"], candidate[None], judged, 0)
    assert unheard.candidate == "mended"
    assert unheard.testimony is None


def test_a_probe_that_reads_nothing_is_no_evidence() -> None:
    judged, candidate = world(0, shortcut=True)
    blind = np.random.default_rng(1).integers(0, 2, len(judged.y))
    choice = Evidence().choose(["a"], candidate[None], replace(judged, shortcut=blind), 0)
    assert "nothing but the class names tells the classes apart" in choice.reason


def test_zero_shot_that_knows_little_does_not_vouch() -> None:
    judged, candidate = world(0, shortcut=True)
    guess = np.random.default_rng(1).integers(0, 2, len(judged.y))
    choice = Evidence().choose(["a"], candidate[None], replace(judged, zero_shot=guess), 0)
    assert "zero-shot hardly knows these classes" in choice.reason


def test_without_text_the_verdict_speaks_of_class_centroids() -> None:
    judged, candidate = world(0, shortcut=True)
    guess = np.random.default_rng(1).integers(0, 2, len(judged.y))
    same, _ = world(0, shortcut=False)
    for rows_, sentence in (
        (replace(judged, shortcut=guess), "nothing but the class centroids tells the classes apart"),
        (replace(judged, zero_shot=guess), "class centroids hardly tell these classes apart, so"),
        (same, "the shortcut probe errs where class centroids err too"),
    ):
        choice = Evidence().choose(["a"], candidate[None], replace(rows_, has_text=False), 0)
        assert sentence in choice.reason


def test_parts_without_text_make_a_whole_without_text() -> None:
    judged, _ = world(0, shortcut=True)
    silent = replace(judged, has_text=False)
    assert not HeldOutPredictions.concatenate([silent, silent]).has_text
    assert HeldOutPredictions.concatenate([judged, judged]).has_text


def test_the_oracle_rule_and_rows_without_a_probe_are_not_checked() -> None:
    judged, candidate = world(0, shortcut=False)
    known = replace(judged, groups=judged.shortcut)
    assert Evidence(find_rule("worst_group")).choose(["a"], candidate[None], known, 0).testimony is None
    bare = replace(judged, shortcut=judged.y, shortcut_margin=None)
    assert Evidence().choose(["a"], candidate[None], bare, 0).testimony is None


def test_diagnostics_are_what_slow_loops_give() -> None:
    judged, _ = world(3, shortcut=False)
    heard = ProbeDiagnostics.of(judged)
    hits = {True: [], False: []}
    for k in range(len(judged.y)):
        suspect = judged.zero_shot[k] == judged.erm[k] != judged.y[k]
        if not suspect:
            hits[bool(judged.shortcut[k] == judged.y[k])].append(judged.zero_shot[k] == judged.y[k])
    assert heard.support == pytest.approx(np.mean(hits[False]) / np.mean(hits[True]))
    accuracies = [
        np.mean([p == c for p, y in zip(judged.shortcut, judged.y, strict=True) if y == c]) for c in (0, 1)
    ]
    assert heard.legibility == pytest.approx(2 * np.mean(accuracies) - 1)
    trusted = [k for k in range(len(judged.y)) if not judged.zero_shot[k] == judged.erm[k] != judged.y[k]]
    assert 0 < len(trusted) < len(judged.y)
    assert judged.zero_shot_margin is not None
    assert judged.shortcut_margin is not None
    centered: list[tuple[float, float]] = []
    for code in (0, 1):
        rows_ = [k for k in trusted if judged.y[k] == code]
        ranks = [rankdata(m[rows_]) / len(rows_) for m in (judged.zero_shot_margin, judged.shortcut_margin)]
        centered += zip(*(r - r.mean() for r in ranks), strict=True)
    assert heard.agreement == pytest.approx(np.corrcoef(np.array(centered).T)[0, 1], abs=1e-6)


@pytest.mark.parametrize(
    ("agreement", "support", "objects"),
    [(0.9, 1.0, False), (0.0, 0.5, False), (0.9, 0.5, True), (0.4, 0.5, False), (0.9, 0.95, False)],
)
def test_hard_rows_take_both_high_agreement_and_low_support(
    agreement: float, support: float, objects: bool
) -> None:
    found = ProbeDiagnostics(legibility=0.9, competence=0.9, agreement=agreement, support=support)
    assert (ProbeSanityCheck().objection(found) is not None) == objects


@pytest.mark.parametrize(("name", "bound"), [("legibility", 0.2), ("competence", 0.7)])
def test_each_least_value_is_enough_and_less_is_not(name: str, bound: float) -> None:
    good = ProbeDiagnostics(legibility=0.9, competence=0.9, agreement=0.0, support=1.0)
    assert ProbeSanityCheck().objection(replace(good, **{name: bound})) is None
    assert ProbeSanityCheck().objection(replace(good, **{name: bound - 1e-6})) is not None


def test_the_correlation_is_spearmans_within_one_class_and_blind_to_shifts_between_classes() -> None:
    generator = np.random.default_rng(0)
    a = generator.normal(size=300).round(1)
    b = (a + generator.normal(size=300)).round(1)
    assert within_class_correlation(a, b, np.zeros(300)) == pytest.approx(spearmanr(a, b).statistic, abs=2e-3)
    y = generator.integers(0, 3, 300)
    assert within_class_correlation(a + 100 * y, b, y) == pytest.approx(within_class_correlation(a, b, y))
    assert within_class_correlation(np.ones(300), b, y) == 0


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_above_chance_is_1_when_all_is_right_and_0_for_one_guess(classes: int) -> None:
    y = np.repeat(np.arange(classes), 10)
    assert above_chance(y, y) == 1
    assert above_chance(np.zeros_like(y), y) == pytest.approx(0)


def test_bounds_outside_0_and_1_are_refused() -> None:
    with pytest.raises(EvenhandError, match="agreement must be at least 0 and at most 1, but it is 2"):
        ProbeSanityCheck(agreement=2)
