"""Contrastive losses on unit vectors: those of CFR, and supervised contrast."""

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

    Each positive p is contrasted with the K negatives alone; the positives of an anchor do not compete.

    Parameters
    ----------
    anchors : Tensor [A, D]
        Unit vectors.
    positives : Tensor [A, P, D]
        Unit vectors of the anchor's class.
    negatives : Tensor [A, K, D]
        Unit vectors of other classes.
    temperature : float, default=1.0
        τ, above 0; the published code uses 1.
    weights : Tensor [A] or None, default=None
        w_a; None is 1 for every anchor. The sum is divided by A P, not by Σ w.

    Returns
    -------
    Tensor []
        The mean over anchors and positives.

    References
    ----------
    C. You et al., Calibrating Multi-modal Representations: A Pursuit of Group Robustness without Annotations,
    CVPR 2024, arXiv 2403.07241.

    Examples
    --------
    >>> import torch
    >>> from evenhand.functional import calibration_loss
    >>> anchors, negatives = torch.tensor([[1.0, 0]]), torch.eye(2)[None]
    >>> round(calibration_loss(anchors, anchors[None], negatives).item(), 4)  # ln((2 e + 1) / e)
    0.862
    """
    to_positives = draw_similarities(anchors, positives, None)
    to_negatives = draw_similarities(anchors, negatives, None)
    return calibration_loss_of_similarities(to_positives, to_negatives, temperature, weights)


def calibration_loss_of_similarities(
    to_positives: Tensor, to_negatives: Tensor, temperature: float = 1.0, weights: Tensor | None = None
) -> Tensor:
    """Return `calibration_loss` from dot products that are already computed.

    Parameters
    ----------
    to_positives : Tensor [A, P]
        a·p.
    to_negatives : Tensor [A, K]
        a·n.
    temperature : float, default=1.0
        τ, above 0.
    weights : Tensor [A] or None, default=None
        As in `calibration_loss`.

    Returns
    -------
    Tensor []

    Examples
    --------
    >>> import torch
    >>> similar = torch.zeros(3, 2)
    >>> round(calibration_loss_of_similarities(similar, similar).item(), 4)  # ln 3: one of three
    1.0986
    """
    rest = torch.logsumexp(to_negatives / temperature, dim=1, keepdim=True)
    # −log[e^s / (e^s + e^rest)] = softplus(rest − s) neither overflows nor loses digits.
    losses = torch.nn.functional.softplus(rest - to_positives / temperature)
    if weights is not None:
        losses = weights[:, None] * losses
    return losses.mean()


def supervised_contrastive_loss(to_positives: Tensor, to_negatives: Tensor, temperature: float) -> Tensor:
    """Pull each anchor to all of its positives at once, and away from its negatives.

        L = 1/(A P) Σ_a Σ_p −log[ e^{a·p/τ} / (Σ_p' e^{a·p'/τ} + Σ_n e^{a·n/τ}) ]

    Unlike in `calibration_loss`, the positives of an anchor compete with each other.

    Parameters
    ----------
    to_positives : Tensor [A, P]
        a·p, of unit vectors.
    to_negatives : Tensor [A, K]
        a·n, of unit vectors.
    temperature : float
        τ, above 0.

    Returns
    -------
    Tensor []
        The mean over anchors and positives.

    References
    ----------
    P. Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, arXiv 2004.11362, eq. 2.

    Examples
    --------
    >>> import torch
    >>> similar = torch.zeros(3, 2)
    >>> round(supervised_contrastive_loss(similar, similar, 1.0).item(), 4)  # ln 4: one of four
    1.3863
    """
    similarities = torch.cat([to_positives, to_negatives], dim=1) / temperature
    return -similarities.log_softmax(dim=1)[:, : to_positives.shape[1]].mean()


def draw_similarities(anchors: Tensor, draws: Tensor, draw: Tensor | None) -> Tensor:
    """Return the dot products of each anchor with the k vectors that were drawn for it.

    Parameters
    ----------
    anchors : Tensor [A, D]
        One vector per anchor.
    draws : Tensor [R, k, D]
        R draws of k vectors each.
    draw : int64 Tensor [A] or None
        The number of the draw that each anchor uses. None means that R = A and anchor i uses draw i.

    Returns
    -------
    Tensor [A, k]

    Examples
    --------
    >>> import torch
    >>> anchors, draws = torch.eye(2), torch.tensor([[[3.0, 4.0]]])
    >>> draw_similarities(anchors, draws, torch.tensor([0, 0])).tolist()
    [[3.0], [4.0]]
    """
    if draw is None:
        return torch.einsum("ad,akd->ak", anchors, draws)
    # One matrix product for all pairs: gathering draws first would copy k · D numbers per anchor.
    products = (anchors @ draws.flatten(0, 1).T).view(len(anchors), *draws.shape[:2])
    return products.gather(1, draw[:, None, None].expand(-1, 1, draws.shape[1])).squeeze(1)


def similarity_loss(z: Tensor, y: Tensor) -> Tensor:
    """Pull rows of one class together and push classes apart.

        L_cs = mean_i [ −(1/B) Σ_{j: y_j = y_i} z_i·z_j + (1/B) Σ_{j: y_j ≠ y_i} z_i·z_j ]

    Parameters
    ----------
    z : Tensor [B, D]
        Unit vectors. The sum over j includes i itself.
    y : int64 Tensor [B]
        Class codes.

    Returns
    -------
    Tensor []
        The mean over rows, between −1 and 1.

    References
    ----------
    C. You et al., Calibrating Multi-modal Representations: A Pursuit of Group Robustness without Annotations,
    CVPR 2024, arXiv 2403.07241.

    Examples
    --------
    >>> import torch
    >>> similarity_loss(torch.eye(2), torch.tensor([0, 1])).item()
    -0.5
    """
    same = y[:, None] == y[None, :]
    similarity = z @ z.T
    return torch.where(same, -similarity, similarity).mean()
