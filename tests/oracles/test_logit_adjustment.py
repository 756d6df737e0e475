"""Logit-adjusted cross-entropy against slow loops from its equation."""

from math import exp, log

import pytest
import torch

from evenhand.functional.logit_adjustment import log_prior, logit_adjusted_cross_entropy


def test_the_prior_is_the_share_of_each_class() -> None:
    assert log_prior(torch.tensor([0, 2, 2, 1, 2]), 3).tolist() == pytest.approx(
        [log(0.2), log(0.2), log(0.6)]
    )


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0])
def test_the_loss(tau: float) -> None:
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torch.tensor([0, 2, 2, 1, 2])
    share = [0.2, 0.2, 0.6]
    total = 0.0
    for row, code in zip(logits.tolist(), y.tolist(), strict=True):
        parts = [share[c] ** tau * exp(row[c]) for c in range(3)]
        total -= log(parts[code] / sum(parts))
    assert logit_adjusted_cross_entropy(logits, y, log_prior(y, 3), tau).item() == pytest.approx(total / 5)
    leaf = logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda t: logit_adjusted_cross_entropy(t, y, log_prior(y, 3), tau), leaf)
