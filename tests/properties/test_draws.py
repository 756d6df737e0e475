"""Draws shared by the batch and draws for each anchor give one loss in expectation."""

from math import sqrt

import numpy as np
import pytest
import torch

from evenhand.functional.contrastive import calibration_loss_of_similarities, draw_similarities
from evenhand.functional.geometry import unit
from evenhand.methods._draws.negatives import RandomNegatives
from evenhand.methods._draws.positives import Centroid, DrawnRows
from evenhand.methods._draws.sampling import Drawn, RowsByClass, Sampler, SamplingPool

N, DRAWS = 30, 500
Y = torch.arange(N) % 3
Z = unit(torch.randn(N, 6, generator=torch.Generator().manual_seed(0)) + 2 * torch.eye(6)[Y])
ANCHORS = torch.tensor([0, 3, 6, 1, 4, 2])
POSITIVES = [(c == Y).nonzero().flatten()[4:] for c in range(3)]
POOL = SamplingPool(lambda: Z, Y, ANCHORS, POSITIVES)


def samplers(k: int, k_negatives: int, shared: bool) -> tuple[Sampler, Sampler]:
    """Return samplers of positives and negatives that share draws by class, or make one for each anchor."""
    if shared:
        return DrawnRows(k).sampler(POOL), RandomNegatives(k_negatives).sampler(POOL)
    inside, outside = RowsByClass(POSITIVES), RowsByClass.of_codes(Y, 3)
    return (
        lambda _, classes, generator: Drawn(inside.inside(classes, k, generator), None),
        lambda _, classes, generator: Drawn(outside.outside(classes, k_negatives, generator), None),
    )


def mean_and_error(rule: DrawnRows | Centroid, positives: Sampler, negatives: Sampler) -> tuple[float, float]:
    """Return the mean calibration loss over draws for the same embeddings, and its standard error."""
    generator = torch.Generator().manual_seed(1)
    codes = Y[ANCHORS]
    losses = []
    for _ in range(DRAWS):
        p, n = positives(ANCHORS, codes, generator), negatives(ANCHORS, codes, generator)
        to_positives = draw_similarities(Z[ANCHORS], rule.targets(Z[p.rows]), p.draw)
        to_negatives = draw_similarities(Z[ANCHORS], Z[n.rows], n.draw)
        losses.append(float(calibration_loss_of_similarities(to_positives, to_negatives, 0.5)))
    return float(np.mean(losses)), float(np.std(losses, ddof=1)) / sqrt(DRAWS)


@pytest.mark.parametrize("k", [1, 4, 16])
@pytest.mark.parametrize("positives", [DrawnRows, Centroid])
def test_shared_draws_equal_draws_per_anchor_in_expectation(
    k: int, positives: type[DrawnRows] | type[Centroid]
) -> None:
    shared, alone = (mean_and_error(positives(k), *samplers(k, k, s)) for s in (True, False))
    assert abs(shared[0] - alone[0]) < 5 * sqrt(shared[1] ** 2 + alone[1] ** 2)


@pytest.mark.parametrize("shared", [True, False])
def test_with_one_negative_the_expectation_is_the_mean_over_all_pairs(shared: bool) -> None:
    similarity = (Z @ Z.T).double() / 0.5
    pairs = []
    for a in ANCHORS.tolist():
        p, n = similarity[a, POSITIVES[int(Y[a])]], similarity[a, Y[a] != Y]
        pairs.append(torch.log1p(torch.exp(n[:, None] - p[None, :])).mean())
    mean, error = mean_and_error(DrawnRows(4), *samplers(4, 1, shared))
    assert abs(mean - float(torch.stack(pairs).mean())) < 5 * error
