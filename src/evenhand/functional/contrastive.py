"""Contrastive losses on unit vectors: those of CFR (arXiv 2403.07241), and supervised contrast."""

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
    to_positives = draw_similarities(anchors, positives, None)
    to_negatives = draw_similarities(anchors, negatives, None)
    return calibration_loss_of_similarities(to_positives, to_negatives, temperature, weights)


def calibration_loss_of_similarities(
    to_positives: Tensor, to_negatives: Tensor, temperature: float = 1.0, weights: Tensor | None = None
) -> Tensor:
    """Return `calibration_loss` from the dot products a·p [A, P] and a·n [A, K]."""
    rest = torch.logsumexp(to_negatives / temperature, dim=1, keepdim=True)
    # −log[e^s / (e^s + e^rest)] = softplus(rest − s), which neither overflows nor cancels.
    losses = torch.nn.functional.softplus(rest - to_positives / temperature)
    if weights is not None:
        losses = weights[:, None] * losses
    return losses.mean()


def supervised_contrastive_loss(to_positives: Tensor, to_negatives: Tensor, temperature: float) -> Tensor:
    """Pull each anchor to all of its positives at once, and away from its negatives.

    L = 1/(A P) Σ_a Σ_p −log[ e^{a·p/τ} / (Σ_p' e^{a·p'/τ} + Σ_n e^{a·n/τ}) ]

    Unlike `calibration_loss`, the positives of an anchor compete with each other.

    Parameters
    ----------
    to_positives, to_negatives : Tensor [A, P], Tensor [A, K]
        Dot products a·p and a·n.
    temperature : float
        τ.

    Returns
    -------
    Tensor []
        The mean over anchors and positives.
    """
    similarities = torch.cat([to_positives, to_negatives], dim=1) / temperature
    return -similarities.log_softmax(dim=1)[:, : to_positives.shape[1]].mean()


def draw_similarities(anchors: Tensor, draws: Tensor, draw: Tensor | None) -> Tensor:
    """Return the dot product of each anchor with the k vectors of its draw, [A, k].

    Parameters
    ----------
    anchors : Tensor [A, D]
        Vectors.
    draws : Tensor [R, k, D]
        Vectors of R draws.
    draw : int64 Tensor [A] or None
        Which draw each anchor uses; None where R = A, in the same order.
    """
    if draw is None:
        return torch.einsum("ad,akd->ak", anchors, draws)
    # All products in one matrix product: gathering whole draws first would move k · D numbers an anchor.
    products = (anchors @ draws.flatten(0, 1).T).view(len(anchors), *draws.shape[:2])
    return products.gather(1, draw[:, None, None].expand(-1, 1, draws.shape[1])).squeeze(1)


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
