"""Project-Probe-Aggregate (PPA): pseudo groups from a probe that is blind to the prototypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from evenhand._ranges import NOT_NEGATIVE, POSITIVE, Ranges
from evenhand._typing import Floats
from evenhand.data.head import Head
from evenhand.functional.geometry import class_sums
from evenhand.functional.logit_adjustment import log_prior, logit_adjusted_cross_entropy
from evenhand.functional.subspaces import project_out, span
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.rows import BLOCK
from evenhand.methods.base import Method


class PPA(Method):
    """Fit a linear probe of pseudo groups, and sum its weights over the pseudo groups of each class.

    1. Project: compute Π z, with Π the projector onto the null space of the prototypes t_c.
    2. Train a biased probe V Π z of the labels by logit-adjusted cross-entropy. The pseudo group of a row is
       its class crossed with whether the biased probe classifies it correctly.
    3. Probe: train U z on the pseudo groups g by cross-entropy of U z + τ ln π_g.
    4. Aggregate: the weights of class c are the sum of the rows of U that belong to c.

    Both probes are linear without intercept, as in the paper. They minimize the mean loss plus
    ½ λ ‖weights‖². A class whose rows are all classified alike has one pseudo group.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; without text, centered class centroids are the prototypes.
    tau : float, default=1.0
        τ of both probes, at least 0.
    bias_l2 : float, default=0.01
        λ of the biased probe, above 0. A high value limits the probe to the strongest cue.
    l2 : float, default=0.0001
        λ of the probe of pseudo groups, above 0.
    random_state : int, default=0
        Not used: both objectives are convex, and the search starts at zero.

    Attributes
    ----------
    pseudo_groups_ : int64 [N]
        2 × class code, plus 1 if the biased probe misclassifies the training row.
    notes_ : tuple of str
        Notes for the user, one sentence each.

    References
    ----------
    B. Zhu et al., Project-Probe-Aggregate: Efficient Fine-Tuning for Group Robustness, CVPR 2025,
    arXiv 2503.09487.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> PPA().fit(X, y).predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"l2": 1e-3},
        {"l2": 1e-5},
        {"bias_l2": 1e-3},
        {"tau": 0.5},
    )
    paper: ClassVar[str] = "Zhu et al., CVPR 2025, arXiv 2503.09487"
    ranges: ClassVar[Ranges] = {
        "tau": NOT_NEGATIVE,
        "bias_l2": POSITIVE,
        "l2": POSITIVE,
    }

    def __init__(
        self,
        head: Head | None = None,
        tau: float = 1.0,
        bias_l2: float = 1e-2,
        l2: float = 1e-4,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.tau = tau
        self.bias_l2 = bias_l2
        self.l2 = l2
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        z, y, n_classes = problem.start.embed_all(problem.h), problem.y, problem.n_classes
        self.notes_: tuple[str, ...] = ()
        wrong = self._misled(z, y, problem.prototypes)
        pseudo = 2 * y + wrong.long()
        self.pseudo_groups_ = pseudo.numpy()
        present, codes = torch.unique(pseudo, return_inverse=True)
        weights = adjusted_probe(z, codes, len(present), l2=self.l2, tau=self.tau)
        summed = class_sums(weights, present // 2, n_classes)
        return Model.of_probe(problem, summed.numpy(), np.zeros(n_classes))

    def _misled(self, z: Tensor, y: Tensor, embeddings: Tensor) -> Tensor:
        """Return which rows are misclassified by a probe that sees z without the prototypes, bool [N]."""
        basis = span(embeddings)
        if basis.shape[1] == z.shape[1]:
            self.notes_ = (
                "the class embeddings leave the biased probe no direction: the pseudo groups are the classes",
            )
            return torch.zeros(len(y), dtype=torch.bool)
        rest = project_out(z, basis)
        weights = adjusted_probe(rest, y, len(embeddings), l2=self.bias_l2, tau=self.tau)
        return (rest @ weights.T.float()).argmax(dim=1) != y


def adjusted_probe(z: Tensor, y: Tensor, n_classes: int, *, l2: float, tau: float) -> Tensor:
    """Minimize mean_i logit-adjusted cross-entropy(W z_i, y_i) + ½ λ ‖W‖² by L-BFGS.

    Parameters
    ----------
    z : float32 Tensor [N, D]
        Features.
    y : int64 Tensor [N]
        Class codes; every class has a row.
    n_classes : int
        Number of classes C.
    l2, tau : float
        λ and τ; the prior π is that of `y`.

    Returns
    -------
    float64 Tensor [C, D]
        W.
    """
    priors = log_prior(y, n_classes)

    def objective(flat: Floats) -> tuple[float, Floats]:
        weights = torch.from_numpy(flat).view(n_classes, -1).requires_grad_()
        value, gradient = l2 / 2 * float(weights.detach().square().sum()), l2 * weights.detach()
        for block, codes in zip(torch.split(z, BLOCK), torch.split(y, BLOCK), strict=True):
            loss = logit_adjusted_cross_entropy(block.double() @ weights.T, codes, priors, tau)
            share = len(codes) / len(y)
            value += share * float(loss.detach())
            gradient = gradient + share * torch.autograd.grad(loss, weights)[0]
        return value, gradient.flatten().numpy()

    start = np.zeros(n_classes * z.shape[1])
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000})
    return torch.from_numpy(found.x).view(n_classes, -1)
