"""Figures of one class against the others, against scikit-learn, slow loops and draws."""

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from evenhand._typing import Bools, Floats
from evenhand.functional.intervals import f1_interval, logit_interval, wilson
from evenhand.functional.one_vs_rest import auroc, average_precision, log_odds, ranked_counts


def drawn(seed: int, n: int = 120, *, ties: bool = False) -> tuple[Floats, Bools]:
    generator = np.random.default_rng(seed)
    positive = generator.random(n) < 0.3
    scores = generator.normal(size=n) + positive
    return (np.round(scores, 1) if ties else scores), positive


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_log_odds_are_those_of_the_softmax(classes: int) -> None:
    logits = np.random.default_rng(classes).normal(size=(40, classes)) * 3
    p = softmax(logits, axis=1)
    assert log_odds(logits) == pytest.approx(np.log(p / (1 - p)), rel=1e-10)


def test_log_odds_do_not_saturate() -> None:
    logits = np.array([[800.0, 3.0, 1.0], [900.0, 3.0, 1.0], [-5.0, -5.0, -5.0]])
    slow = [[row[c] - logsumexp(np.delete(row, c)) for c in range(3)] for row in logits]
    assert log_odds(logits) == pytest.approx(np.array(slow), rel=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_areas_are_those_of_scikit_learn(seed: int, ties: bool) -> None:
    scores, positive = drawn(seed, ties=ties)
    counts = ranked_counts(scores, positive)
    assert sum(map(len, counts)) == 2 * len(np.unique(scores))
    assert auroc(*counts)[0] == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
    assert average_precision(*counts)[0] == pytest.approx(
        average_precision_score(positive, scores), abs=1e-12
    )


@pytest.mark.parametrize("ties", [False, True])
def test_delongs_error_is_that_of_its_loops(ties: bool) -> None:
    scores, positive = drawn(3, ties=ties)
    up, down = scores[positive], scores[~positive]
    wins = np.array([[1.0 if a > b else 0.5 if a == b else 0.0 for b in down] for a in up])
    expected = wins.mean(axis=1).var(ddof=1) / len(up) + wins.mean(axis=0).var(ddof=1) / len(down)
    assert auroc(*ranked_counts(scores, positive))[1] == pytest.approx(np.sqrt(expected), rel=1e-10)


def weighted_average_precision(scores: Floats, positive: Bools, weights: Floats) -> float:
    return float(average_precision_score(positive, scores, sample_weight=weights))


@pytest.mark.parametrize("ties", [False, True])
def test_the_error_of_average_precision_is_that_of_its_derivatives(ties: bool) -> None:
    scores, positive = drawn(4, ties=ties)
    ones, step = np.ones(len(scores)), 1e-6
    slopes = np.array(
        [
            weighted_average_precision(scores, positive, ones + step * row)
            - weighted_average_precision(scores, positive, ones - step * row)
            for row in np.eye(len(scores))
        ]
    ) / (2 * step)
    parts = (slopes[positive], slopes[~positive])
    expected = np.sqrt(sum(len(part) * part.var(ddof=1) for part in parts))
    assert average_precision(*ranked_counts(scores, positive))[1] == pytest.approx(expected, rel=1e-4)


def test_the_errors_are_those_of_draws() -> None:
    scores, positive = drawn(5, 400)
    generator = np.random.default_rng(0)
    up, down = np.flatnonzero(positive), np.flatnonzero(~positive)
    draws = [
        np.concatenate([generator.choice(up, len(up)), generator.choice(down, len(down))]) for _ in range(600)
    ]
    for figure in (auroc, average_precision):
        values = [figure(*ranked_counts(scores[rows], positive[rows]))[0] for rows in draws]
        assert figure(*ranked_counts(scores, positive))[1] == pytest.approx(np.std(values), rel=0.15)


def test_a_side_without_rows_has_no_area_and_one_row_no_error() -> None:
    none = np.zeros(3, dtype=bool)
    for positive in (none, ~none):
        for figure in (auroc, average_precision):
            assert np.isnan(figure(*ranked_counts(np.arange(3.0), positive))).all()
    assert [len(part) for part in ranked_counts(np.zeros(0), none[:0])] == [0, 0]
    value, error = auroc(*ranked_counts(np.arange(3.0), np.array([False, True, False])))
    assert (value, np.isnan(error)) == (0.5, True)


def test_the_logit_interval_holds_its_value_and_is_symmetric_in_log_odds() -> None:
    low, high = logit_interval(0.8, 0.06, 30)
    center = (np.log(low / (1 - low)) + np.log(high / (1 - high))) / 2
    assert center == pytest.approx(np.log(4))
    assert high - low == pytest.approx(2 * 1.96 * 0.06, rel=0.05)
    for value, error in ((1.0, 0.0), (0.0, 0.0), (0.7, float("nan")), (0.7, 0.0)):
        assert logit_interval(value, error, 12) == wilson(12 * value, 12)
    assert np.isnan(logit_interval(float("nan"), 0.1, 3)).all()


def test_f1_is_that_of_scikit_learn_and_its_interval_is_the_jaccard_indexs() -> None:
    generator = np.random.default_rng(6)
    y, said = generator.integers(0, 2, 90), generator.integers(0, 2, 90)
    hits, errors = int((y & said).sum()), int((y ^ said).sum())
    value = f1_score(y, said)
    low, high = f1_interval(hits, errors)
    jaccard = wilson(hits, hits + errors)
    assert low < value < high
    assert (low / (2 - low), high / (2 - high)) == pytest.approx(jaccard)
    assert np.isnan(f1_interval(0, 0)).all()
    draws = generator.multinomial(90, [hits / 90, errors / 90, 1 - (hits + errors) / 90], 20_000)
    scores = 2 * draws[:, 0] / (2 * draws[:, 0] + draws[:, 1])
    assert np.quantile(scores, [0.025, 0.975]) == pytest.approx([low, high], abs=0.015)
