"""Subspaces: an orthonormal basis of what vectors span, and what is left beside it."""

from __future__ import annotations

import torch
from torch import Tensor


def span(vectors: Tensor) -> Tensor:
    """Return an orthonormal basis of the span of the rows.

    From the singular value decomposition, whose small singular values count as zero by the usual rule
    (machine epsilon × larger side × largest value), so that rows which depend on each other add no direction.

    Parameters
    ----------
    vectors : Tensor [K, D]
        Any real rows.

    Returns
    -------
    Tensor [D, r]
        Orthonormal columns; r is the rank, 0 for rows of zeros.
    """
    _, values, rows = torch.linalg.svd(vectors, full_matrices=False)
    # Largest first; of no rows there is no largest.
    least = torch.finfo(vectors.dtype).eps * max(vectors.shape) * values[:1].sum()
    basis: Tensor = rows[values > least].T
    return basis


def project_out(x: Tensor, basis: Tensor) -> Tensor:
    """Return x − x B Bᵀ: rows [..., D] without their part in the span of orthonormal columns B [D, r]."""
    return x - (x @ basis) @ basis.T
