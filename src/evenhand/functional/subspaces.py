"""Orthonormal bases of subspaces, and projections onto their complements."""

from __future__ import annotations

import torch
from torch import Tensor


def span(vectors: Tensor) -> Tensor:
    """Return an orthonormal basis of the span of the rows.

    The basis comes from the singular value decomposition. A singular value counts as zero if it is at most
    machine epsilon × larger side × largest singular value, so linearly dependent rows add no direction.

    Parameters
    ----------
    vectors : Tensor [K, D]
        Any real rows.

    Returns
    -------
    Tensor [D, r]
        Orthonormal columns; r is the rank, which is 0 for rows of zeros.

    Examples
    --------
    >>> import torch
    >>> span(torch.tensor([[2.0, 0], [4.0, 0]])).abs().tolist()
    [[1.0], [0.0]]
    """
    _, values, rows = torch.linalg.svd(vectors, full_matrices=False)
    # The largest comes first. The sum of a slice is 0 if there are no rows.
    least = torch.finfo(vectors.dtype).eps * max(vectors.shape) * values[:1].sum()
    basis: Tensor = rows[values > least].T
    return basis


def project_out(x: Tensor, basis: Tensor) -> Tensor:
    """Return x − x B Bᵀ: the rows without their component in the span of B.

    Parameters
    ----------
    x : Tensor [..., D]
        Rows.
    basis : Tensor [D, r]
        B, with orthonormal columns (see `span`).

    Returns
    -------
    Tensor [..., D]

    Examples
    --------
    >>> import torch
    >>> project_out(torch.tensor([3.0, 4.0]), torch.tensor([[1.0], [0.0]])).tolist()
    [0.0, 4.0]
    """
    return x - (x @ basis) @ basis.T
