"""The fits that are compared: CFR with the paper's terms, and AFR's recipe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import cross_entropy

from evenhand import CFR, Head
from evenhand._typing import Floats
from evenhand.methods import PUBLISHED_SIMILARITY
from evenhand.methods._training.train_erm import ERM_SGD

GAMMAS = (4, 8, 12, 16, 20)
"""From AFR's range on Waterbirds."""


def cfr(head: Head, epochs: int) -> CFR:
    """Return CFR with the paper's terms for `epochs` epochs, after as many of ERM, at most 20."""
    recipe = replace(PUBLISHED_SIMILARITY, sgd=replace(PUBLISHED_SIMILARITY.sgd, epochs=epochs))
    erm = replace(ERM_SGD, epochs=min(epochs, ERM_SGD.epochs))
    return CFR(head=head, recipes=recipe, erm=erm, random_state=0)


def fit_afr(X: Floats, y: np.ndarray, *, steps: int = 500) -> list[torch.Tensor]:
    """Fit AFR's recipe: ERM on four fifths, then for each γ the last layer on the rest, reweighted.

    Weights ∝ exp(−γ p_i(y_i)), balanced by class, and an L2 penalty λ‖θ − θ_ERM‖² with λ = 0.1; full batches.
    """
    codes = np.unique(y, return_inverse=True)[1]
    cut = 4 * len(X) // 5
    first = LogisticRegression(max_iter=1000).fit(X[:cut], codes[:cut])
    rest, target = torch.from_numpy(X[cut:]), torch.from_numpy(codes[cut:])
    coef = np.concatenate([first.coef_, first.intercept_[:, None]], axis=1) / 2
    start = torch.from_numpy(np.concatenate([-coef, coef])).float()
    return [_reweighted(rest, target, start, gamma, steps) for gamma in GAMMAS]


def _reweighted(
    X: torch.Tensor, y: torch.Tensor, start: torch.Tensor, gamma: float, steps: int
) -> torch.Tensor:
    theta = start.clone().requires_grad_()
    optimiser = torch.optim.SGD([theta], lr=1e-2, momentum=0.9)
    with torch.no_grad():
        chance = (X @ start[:, :-1].T + start[:, -1]).softmax(dim=1).gather(1, y[:, None])[:, 0]
        weights = torch.exp(-gamma * chance) / torch.bincount(y)[y]
        weights /= weights.sum()
    for _ in range(steps):
        optimiser.zero_grad(set_to_none=True)
        losses = cross_entropy(X @ theta[:, :-1].T + theta[:, -1], y, reduction="none")
        loss = (weights * losses).sum() + 0.1 * (theta - start).square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return theta.detach()
