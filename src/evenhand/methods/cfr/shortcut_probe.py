"""A probe that is blind to the class prototypes, and so uses shortcuts.

The differences between prototypes span the directions in which the model tells the classes apart. The probe
is a strongly regularized classifier of the labels on the rest of z. It has to use whatever else is correlated
with the labels: the background, a tag, the light. Rows that it misclassifies are rows where this shortcut
misleads.

PPA (arXiv 2503.09487) trains a biased model on the same null space and uses its pseudo groups. CFR uses the
errors of the probe to choose anchors, and its predictions to score candidates. The probe does not depend on
ERM's errors. Scores in cells of ERM's own errors would favor candidates that differ from ERM by chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from evenhand.functional.geometry import class_directions

L2 = 0.25
"""λ in the objective of `ShortcutProbe`."""


@dataclass(frozen=True)
class ShortcutProbe:
    """Linear classifier on the component of z that is orthogonal to all differences of prototypes.

        minimize mean_i w_i · cross-entropy(V z_i + d, y_i) + ½ λ ‖V‖²,  V orthogonal to every t_c − t_k

    with λ = 0.25 and w_i = N / (number of classes · rows of class y_i). With two classes, the penalty is that
    of the single vector V_1 − V_0.

    Attributes
    ----------
    weight : float32 Tensor [D_out, C]
        V, transposed.
    intercept : float32 Tensor [C]
        d; −∞ for a class without training rows.
    """

    weight: Tensor
    intercept: Tensor

    @staticmethod
    def possible(prototypes: Tensor) -> bool:
        """Return whether any direction is orthogonal to the differences of prototypes [C, D_out]."""
        return prototypes.shape[1] > len(prototypes) - 1

    @classmethod
    def fit(cls, z: Tensor, y: Tensor, prototypes: Tensor) -> ShortcutProbe:
        """Fit on unit z [N, D_out] with class codes y [N] and prototypes [C, D_out]."""
        basis = class_directions(prototypes)
        rest = z - (z @ basis) @ basis.T
        model = LogisticRegression(C=1 / (L2 * len(y)), class_weight="balanced", max_iter=1000)
        model.fit(rest.numpy(), y.numpy())
        weight = torch.from_numpy(model.coef_).float()
        intercept = torch.from_numpy(model.intercept_).float()
        if len(weight) == 1:
            weight, intercept = torch.cat([-weight, weight]) / 2, torch.cat([-intercept, intercept]) / 2
        full = torch.zeros(len(prototypes), z.shape[1]), torch.full((len(prototypes),), -torch.inf)
        known = torch.from_numpy(model.classes_)
        full[0][known], full[1][known] = weight, intercept
        return cls((full[0] - (full[0] @ basis) @ basis.T).T.contiguous(), full[1])

    def logits(self, z: Tensor) -> Tensor:
        """Return [N, C] for unit z [N, D_out]."""
        return z @ self.weight + self.intercept
