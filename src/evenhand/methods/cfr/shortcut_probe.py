"""A probe that cannot see the classes themselves, and so reads what merely goes with them.

The class prototypes span the directions in which the model *names* the classes. A strongly regularized
classifier of the labels on what is left of z has to use whatever else is correlated with them: the
background, the tag, the light. Rows that it misclassifies are rows where such a shortcut misleads.
Chen et al. (PPA, 2024) train a biased model on the same null space; we use its errors, not its pseudo
groups, to choose anchors and to judge candidates. The probe never looks at ERM's errors, so a judgement
on its cells is free of the selection effect that lets chance flips beat ERM on ERM's own errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from evenhand.functional.geometry import class_directions

L2 = 0.25
"""λ of the objective in `ShortcutProbe.fit`."""


@dataclass(frozen=True)
class ShortcutProbe:
    """Linear classifier on the part of z that is orthogonal to all differences of prototypes.

    Attributes
    ----------
    weight : float32 Tensor [D_out, C]
        Orthogonal to every t_c − t_c'.
    intercept : float32 Tensor [C]
        One per class.
    """

    weight: Tensor
    intercept: Tensor

    @staticmethod
    def possible(prototypes: Tensor) -> bool:
        """Tell whether prototypes [C, D_out] leave any direction over."""
        return prototypes.shape[1] > len(prototypes) - 1

    @classmethod
    def fit(cls, z: Tensor, y: Tensor, prototypes: Tensor) -> ShortcutProbe:
        """Fit on unit z [N, D_out] with codes y [N] and prototypes [C, D_out]."""
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
