"""Class targets that are as far apart as possible: the vertices of a regular simplex."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand._random import torch_stream


def simplex_vertices(n_classes: int, width: int, seed: int) -> Tensor:
    """Return the vertices v_1 … v_C of a regular simplex in D dimensions, rotated at random.

        V = √(C/(C−1)) · Hᵀ Q

    H [C−1, C] holds the rows of a Helmert matrix, which are orthonormal and orthogonal to the vector of ones.
    Q [C−1, D] holds random orthonormal rows. Hence |v_c| = 1, v_c · v_d = −1/(C−1) for c ≠ d, Σ_c v_c = 0.

    Parameters
    ----------
    n_classes : int
        Number of classes C, at least 2.
    width : int
        Width D of the embedding, at least C − 1.
    seed : int
        Seed of the rotation.

    Returns
    -------
    float32 Tensor [C, D]
        Unit vectors.

    Raises
    ------
    EvenhandError
        If `width` is below C − 1: no regular simplex of C vertices fits.

    Examples
    --------
    >>> (simplex_vertices(3, 8, seed=0) @ simplex_vertices(3, 8, seed=0).T).round(decimals=4)
    tensor([[ 1.0000, -0.5000, -0.5000],
            [-0.5000,  1.0000, -0.5000],
            [-0.5000, -0.5000,  1.0000]])

    References
    ----------
    T. Li et al., Targeted Supervised Contrastive Learning for Long-Tailed Recognition, CVPR 2022.
    """
    if width < n_classes - 1:
        raise EvenhandError(
            f"width: an embedding of width {width} holds no simplex of {n_classes} classes, which needs "
            f"{n_classes - 1} or more; leave out the targeted term or use a wider projection"
        )
    generator = torch_stream(seed, "simplex")
    gaussian = torch.randn(width, n_classes - 1, generator=generator, dtype=torch.float64)
    basis: Tensor = torch.linalg.qr(gaussian).Q
    return (_corners(n_classes) @ basis.T).float()


def _corners(n_classes: int) -> Tensor:
    """Return the vertices in C − 1 dimensions, float64 [C, C−1], from Helmert's closed form."""
    step = torch.arange(1, n_classes, dtype=torch.float64)
    above = torch.ones(n_classes, n_classes - 1, dtype=torch.float64).triu()
    # Column k: ones above row k, −k at row k, zeros below; its norm is √(k(k+1)).
    helmert: Tensor = (above - torch.diag_embed(step, offset=-1)[:, :-1]) / (step * (step + 1)).sqrt()
    return helmert * sqrt(n_classes / (n_classes - 1))
