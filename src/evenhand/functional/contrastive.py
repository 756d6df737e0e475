"""The contrastive losses of CFR (arXiv 2403.07241), on unit vectors."""

from __future__ import annotations

import torch
from torch import Tensor


def calibration_loss(
    anchors: Tensor,
    positives: Tensor,
    negatives: Tensor,
    temperature: float = 1.0,
    weights: Tensor | None = None,
) -> Tensor:
    """Pull each anchor to its positives and away from its negatives.

    L_cal = 1/(A P) Σ_a Σ_p w_a · (−log[ e^{a·p/τ} / (e^{a·p/τ} + Σ_n e^{a·n/τ}) ])

    Parameters
    ----------
    anchors : Tensor [A, D]
        Unit vectors.
    positives : Tensor [A, P, D]
        Unit vectors of the anchor's class.
    negatives : Tensor [A, K, D]
        Unit vectors of other classes.
    temperature : float
        τ; the published code uses 1.
    weights : Tensor [A], optional
        w_a, 1 by default. They multiply; the sum is divided by the count, not by Σ w.

    Returns
    -------
    Tensor []
        The mean over anchors and positives.
    """
    to_positives = torch.einsum("ad,apd->ap", anchors, positives) / temperature
    to_negatives = torch.einsum("ad,akd->ak", anchors, negatives) / temperature
    rest = torch.logsumexp(to_negatives, dim=1, keepdim=True)
    # −log[e^s / (e^s + e^rest)] = softplus(rest − s), which neither overflows nor cancels.
    losses = torch.nn.functional.softplus(rest - to_positives)
    if weights is not None:
        losses = weights[:, None] * losses
    return losses.mean()


def similarity_loss(z: Tensor, y: Tensor) -> Tensor:
    """Draw rows of one class together and push classes apart.

    L_cs = mean_i [ −(1/B) Σ_{j: y_j = y_i} z_i·z_j + (1/B) Σ_{j: y_j ≠ y_i} z_i·z_j ]

    Parameters
    ----------
    z : Tensor [B, D]
        Unit vectors; the row itself is among its same-class rows.
    y : int64 Tensor [B]
        Class codes.

    Returns
    -------
    Tensor []
        The mean over rows, in [−1, 1].
    """
    same = y[:, None] == y[None, :]
    similarity = z @ z.T
    return torch.where(same, -similarity, similarity).mean()
