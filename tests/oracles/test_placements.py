"""AUROC of cells and how sure it is, against loops, scikit-learn and the Bayesian bootstrap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from evenhand import EvenhandError
from evenhand.functional.cell_rates import draw_worst_rates, rate_moments
from evenhand.functional.placements import placements
from evenhand.selection.ranking import MOST_SCORES, Ranking, keeps_scores

SCORES = st.lists(st.integers(0, 4), min_size=1, max_size=8)


@given(SCORES, st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=8))
def test_placements_are_those_of_a_double_loop(mine: list[int], others: list[tuple[int, int]]) -> None:
    theirs, weights = (np.array(part, dtype=float) for part in zip(*others, strict=True))
    weights[0] += 1
    found = placements(np.array([mine, mine[::-1]], dtype=float), np.stack([theirs, theirs]), weights)
    for k, values in enumerate((mine, mine[::-1])):
        for i, value in enumerate(values):
            above = sum(
                w * (1.0 if value > other else 0.5 if value == other else 0.0)
                for other, w in zip(theirs, weights, strict=True)
            )
            assert found[k, i] == pytest.approx(above / weights.sum())


def made(seed: int = 0) -> tuple[Ranking, np.ndarray, np.ndarray]:
    """Three candidates on 300 rows of three classes; a cell of class 1 with its weights."""
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 3, 300)
    scores = generator.normal(size=(3, 300, 3)).astype(np.float32)
    scores[:, np.arange(300), y] += np.array([[0.5], [1.0], [1.5]])
    rows = np.flatnonzero(y == 1)
    return Ranking(scores, y), rows, generator.random(len(rows))


def test_the_mean_over_a_cell_is_its_auroc_against_all_other_classes() -> None:
    ranking, rows, weights = made()
    others = np.flatnonzero(ranking.y != 1)
    both = np.concatenate([rows, others])
    for k in range(3):
        expected = roc_auc_score(
            ranking.y[both] == 1,
            ranking.scores[k, both, 1],
            sample_weight=np.concatenate([weights, np.ones(len(others))]),
        )
        assert ranking.above()[k, rows] @ weights / weights.sum() == pytest.approx(expected)
        assert ranking.of_others(rows, weights)[k].mean() == pytest.approx(expected)


def test_the_draws_are_those_of_a_bootstrap_of_both_samples() -> None:
    ranking, rows, weights = made()
    generator = np.random.default_rng(1)
    mine, others = ranking.scores[:, rows, 1], ranking.scores[:, ranking.y != 1, 1]
    wins = mine[:, :, None] > others[:, None, :]
    ours = generator.dirichlet(weights, 3000)
    theirs = generator.dirichlet(np.ones(others.shape[1]), 3000)
    slow = np.einsum("di,ij,dj->d", ours, wins[0].astype(float), theirs, optimize=True)
    rates, root = rate_moments(ranking.above()[:, rows], weights, ranking.of_others(rows, weights))
    assert rates[0] == pytest.approx(slow.mean(), abs=0.01)
    assert np.sqrt((root @ root)[0, 0]) == pytest.approx(slow.std(), rel=0.08)
    alone = rate_moments(ranking.above()[:, rows], weights)[1]
    assert (alone @ alone)[0, 0] < (root @ root)[0, 0]
    drawn = draw_worst_rates(
        ranking.above(), [(rows, weights)], 3000, np.random.default_rng(2), ranking.of_others
    )
    assert np.cov(drawn.T) == pytest.approx(root @ root, rel=0.2)


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(EvenhandError, match="metric: AUROC needs held-out rows of two classes"):
        Ranking(np.zeros((1, 3, 2), dtype=np.float32), np.zeros(3, dtype=np.int64))
    with pytest.raises(
        EvenhandError, match="metric: AUROC ranks 67,108,865 scores, rows × classes × candidates"
    ):
        keeps_scores("auroc", MOST_SCORES + 1)
    with pytest.raises(
        EvenhandError,
        match="metric: no choice can be made by 'f1'; the allowed values are accuracy and auroc, since",
    ):
        keeps_scores("f1", 1)
    assert keeps_scores("auroc", MOST_SCORES)
    assert not keeps_scores("accuracy", MOST_SCORES + 1)
