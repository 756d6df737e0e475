"""Linear maps of the shared space that take spurious concepts out of it, in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

from evenhand.functional.subspaces import project_out, span


def calibrated_projection(spurious: Tensor, pairs: Tensor, strength: float) -> Tensor:
    """Return P = P0 (λ M + I)⁻¹, [D, D], of "Debiasing Vision-Language Models via Biased Prompts".

    P0 projects on the null space of the spurious prompts; M = mean over pairs of (u_i − u_j)(u_i − u_j)ᵀ.

    Parameters
    ----------
    spurious : Tensor [S, D]
        Embeddings of the spurious prompts.
    pairs : Tensor [K, 2, D]
        Embeddings u_i, u_j of prompts of one class with different values.
    strength : float
        λ.
    """
    differences = pairs[:, 0] - pairs[:, 1]
    identity = torch.eye(pairs.shape[-1], dtype=pairs.dtype)
    spread = differences.T @ differences / len(differences)
    # P0 is symmetric, so that its rows, or its columns, may be what is projected.
    return project_out(torch.linalg.inv(strength * spread + identity).T, span(spurious)).T


def rejecting_and_accepting(reject: Tensor, accept: Tensor) -> Tensor:
    """Return A = (I − R Rᵀ)(I + B Bᵀ), [D, D], for rows z A: RoboShot's two steps as one map.

    R and B are orthonormal bases of the directions, so that a row loses its component along each reject
    direction, and then gains its component along each accept direction once more.

    Parameters
    ----------
    reject, accept : Tensor [K, D]
        Differences of the embeddings of concept pairs; either may have no row.
    """
    kept = project_out(torch.eye(reject.shape[1], dtype=reject.dtype), span(reject))
    basis = span(accept)
    return kept + (kept @ basis) @ basis.T
