"""Closed-form linear maps that remove spurious concepts from the embedding space."""

from __future__ import annotations

import torch
from torch import Tensor

from evenhand.functional.subspaces import project_out, span


def calibrated_projection(spurious: Tensor, pairs: Tensor, l2: float) -> Tensor:
    """Return the calibrated projection of orthogonal calibration.

        P = P0 (λ M + I)⁻¹,  M = mean over pairs of (u_i − u_j)(u_i − u_j)ᵀ

    P0 projects onto the null space of the spurious prompts.

    Parameters
    ----------
    spurious : Tensor [S, D]
        Embeddings of the spurious prompts.
    pairs : Tensor [K, 2, D]
        Embeddings u_i, u_j of prompts that name one class with different values of one attribute.
    l2 : float
        λ, at least 0: the L2 penalty on the differences within pairs.

    Returns
    -------
    Tensor [D, D]
        P; it maps an embedding t to P t.

    References
    ----------
    C.-Y. Chuang et al., Debiasing Vision-Language Models via Biased Prompts, 2023, arXiv 2302.00070.

    Examples
    --------
    >>> import torch
    >>> spurious, pairs = torch.tensor([[0.0, 1]]), torch.tensor([[[2.0, 0], [0, 0]]])
    >>> calibrated_projection(spurious, pairs, l2=0.25).tolist()
    [[0.5, 0.0], [0.0, 0.0]]
    """
    differences = pairs[:, 0] - pairs[:, 1]
    identity = torch.eye(pairs.shape[-1], dtype=pairs.dtype)
    spread = differences.T @ differences / len(differences)
    # P0 is symmetric, so it may be applied to the rows of the transpose.
    return project_out(torch.linalg.inv(l2 * spread + identity).T, span(spurious)).T


def reject_accept_map(reject: Tensor, accept: Tensor) -> Tensor:
    """Return the linear map of RoboShot.

        A = (I − R Rᵀ)(I + B Bᵀ)

    The columns of R and B are orthonormal bases of the reject and the accept directions. The row z A has lost
    its component along the reject directions, and its component along the accept directions is doubled.

    Parameters
    ----------
    reject, accept : Tensor [K, D]
        Differences between the embeddings of word pairs; either may have no row.

    Returns
    -------
    Tensor [D, D]
        A.

    References
    ----------
    D. Adila et al., Zero-Shot Robustification of Zero-Shot Models, ICLR 2024, arXiv 2309.04344, algorithm 1.

    Examples
    --------
    >>> import torch
    >>> reject_accept_map(torch.tensor([[3.0, 0]]), torch.tensor([[0, 2.0]])).abs().tolist()
    [[0.0, 0.0], [0.0, 2.0]]
    """
    kept = project_out(torch.eye(reject.shape[1], dtype=reject.dtype), span(reject))
    basis = span(accept)
    return kept + (kept @ basis) @ basis.T
