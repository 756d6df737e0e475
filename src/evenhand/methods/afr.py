"""Automatic feature reweighting (AFR): the last layer retrained with weight on ERM's errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from evenhand._ranges import NOT_NEGATIVE, Ranges
from evenhand._typing import Floats, Ints
from evenhand.data.head import Head
from evenhand.methods._training.last_layer import LastLayer, hold_out_and_train
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import erm_sgd
from evenhand.methods.base import Method


class AFR(Method):
    """Train ERM on four fifths of the training rows, then its last layer on the other fifth, reweighted.

    Let p_i be the probability that ERM gives to the true class of held-out row i, and n_c the number of
    held-out rows of class c. Over the last layer (V, d), with logits V u_i + d, L-BFGS minimizes

        Σ_i w_i · cross-entropy_i + λ (‖V − V_ERM‖² + ‖d − d_ERM‖²),
        w_i = (exp(−γ p_i) / n_{y_i}) / Σ_j (exp(−γ p_j) / n_{y_j}).

    The weights are computed once. For λ > 0 the minimum is unique. The authors approach it by 100 to 500
    steps of gradient descent.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    gamma : float, default=4.0
        γ, at least 0: how much more errors count. Published: 14 for Waterbirds (searched from 4 to 20) and
        1.8 for CelebA (searched from 1 to 3).
    l2 : float, default=0.2
        λ, at least 0. Published: 0.2 for Waterbirds, and 0 with 100 steps for CelebA.
    erm : SGD or None, default=None
        Optimizer of the first stage. None means that of `ERM`.
    random_state : int, default=0
        Seed of held-out rows and shuffles.

    Attributes
    ----------
    weights_ : float [M]
        w_i of the held-out rows, which sum to 1.

    References
    ----------
    S. Qiu et al., Simple and Fast Group Robustness by Automatic Feature Reweighting, ICML 2023,
    arXiv 2306.11074.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> AFR(gamma=1.0).fit(X, y).predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"gamma": 4.0},
        {"gamma": 1.8},
        {"gamma": 1.0},
        {"gamma": 8.0},
        {"gamma": 14.0},
    )
    paper = "Qiu et al., ICML 2023, arXiv 2306.11074"
    ranges: ClassVar[Ranges] = {
        "gamma": NOT_NEGATIVE,
        "l2": NOT_NEGATIVE,
    }

    def __init__(
        self,
        head: Head | None = None,
        gamma: float = 4.0,
        l2: float = 0.2,
        erm: SGD | None = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.gamma = gamma
        self.l2 = l2
        self.erm = erm
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        base = hold_out_and_train(problem, self.erm or erm_sgd(problem), self.history_)
        seen = base.seen
        self.weights_ = afr_weights(np.exp(-base.losses()), base.y, self.gamma)
        return base.model(reweighted(seen.u, base.y, self.weights_, seen.layer, self.l2))


def afr_weights(p: Floats, y: Ints, gamma: float) -> Floats:
    """Return exp(−γ p_i) / n_{y_i}, [M], divided by their sum, for probabilities p and codes y [M]."""
    # The shift by the smallest p cancels in the division; without it all weights could underflow.
    weights: Floats = np.exp(-gamma * (p - p.min())) / np.bincount(y)[y]
    weights /= weights.sum()
    return weights


def reweighted(u: Floats, y: Ints, weights: Floats, start: LastLayer, l2: float) -> LastLayer:
    """Minimize Σ_i w_i · cross-entropy_i + λ ‖θ − θ_start‖² over a last layer θ = (V, d).

    Parameters
    ----------
    u, y, weights : float64 [M, D], int64 [M], float64 [M]
        Features, codes and w.
    start : LastLayer
        θ_start, which is also the starting point.
    l2 : float
        λ.
    """
    design = np.hstack([u, np.ones((len(u), 1))])
    origin = np.hstack([start.weight, start.bias[:, None]])
    rows = np.arange(len(y))

    def objective(flat: Floats) -> tuple[float, Floats]:
        theta = flat.reshape(origin.shape)
        log_p = log_softmax(design @ theta.T, axis=1)
        slope = np.exp(log_p)
        slope[rows, y] -= 1
        gradient = (weights[:, None] * slope).T @ design + 2 * l2 * (theta - origin)
        loss = -weights @ log_p[rows, y] + l2 * np.square(theta - origin).sum()
        return float(loss), gradient.ravel()

    options = {"maxiter": 1000, "gtol": 1e-7, "ftol": 1e-13}
    found = minimize(objective, origin.ravel(), jac=True, method="L-BFGS-B", options=options)
    theta = found.x.reshape(origin.shape)
    return LastLayer(theta[:, :-1], theta[:, -1])
