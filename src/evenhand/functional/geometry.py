"""Unit vectors, prototypes and cosine logits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def unit(x: Tensor, dim: int = -1) -> Tensor:
    """Divide by the L2 norm along `dim`; a zero vector stays zero.

    Parameters
    ----------
    x : Tensor [..., D]
        Any real vectors.
    dim : int
        The axis that holds a vector.
    """
    z: Tensor = _Unit.apply(x, dim)
    return z


class _Unit(torch.autograd.Function):
    """z = x / ‖x‖ with its gradient (g − z (z·g)) / ‖x‖, in half of the passes over x that autograd makes.

    Every training step normalises all of its rows, so those passes count. Divided out term by term, it gives
    the bits that autograd gives.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=dim, keepdim=True)
        # Divided by 1 rather than by a tiny number, so that a zero vector's gradient stays finite too.
        divisor = torch.where(norm > 0, norm, 1)
        z = x / divisor
        ctx.save_for_backward(z, divisor)
        ctx.dim = dim
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        z, divisor = ctx.saved_tensors
        along = (z / divisor).mul_(g).sum(ctx.dim, keepdim=True)
        return (g / divisor).sub_(z * along), None


def project(h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return z = unit(h W + b).

    Parameters
    ----------
    h : Tensor [N, D_in]
        Trunk features before the projection.
    weight : Tensor [D_in, D_out]
        W.
    bias : Tensor [D_out] or None
        b, None where the site has none.

    Returns
    -------
    Tensor [N, D_out]
        Unit vectors.
    """
    return unit(h @ weight if bias is None else torch.addmm(bias, h, weight))


def cosine_logits(z: Tensor, prototypes: Tensor, scale: Tensor | float) -> Tensor:
    """Return s · z_i · t_c, [N, C], for unit z [N, D_out] and unit prototypes [C, D_out]."""
    return scale * (z @ prototypes.T)


def prototypes(embeddings: Tensor) -> Tensor:
    """Return t_c: the renormalised mean over templates of unit text embeddings.

    Parameters
    ----------
    embeddings : Tensor [C, P, D_out]
        One text embedding per class and prompt.

    Returns
    -------
    Tensor [C, D_out]
        Unit vectors.
    """
    return unit(unit(embeddings).mean(dim=1))


def class_centroids(z: Tensor, y: Tensor, n_classes: int) -> Tensor:
    """Return the renormalised mean of each class's unit features, for use where there is no text.

    Parameters
    ----------
    z : Tensor [N, D]
        Unit features, centred before they were normalised (see `centred_bias`).
    y : int64 Tensor [N]
        Class codes below `n_classes`.
    n_classes : int
        C.

    Returns
    -------
    Tensor [C, D]
        Unit vectors; zero for a class without rows.
    """
    return unit(class_sums(z, y, n_classes))


def class_sums(z: Tensor, y: Tensor, n_classes: int) -> Tensor:
    """Return Σ z_i over each class, [C, D], from z [N, D] and codes y [N]."""
    return z.new_zeros(n_classes, z.shape[1]).index_add_(0, y, z)


def centred_bias(h: Tensor, weight: Tensor) -> Tensor:
    """Return b0 = −m W0 with m the mean row of h [N, D_in]: the shift that centres the projected rows."""
    return -(h.mean(dim=0) @ weight)


def mean_row(blocks: Iterable[Tensor]) -> Tensor:
    """Return the mean [D] of all rows of blocks [n_k, D].

    m ← m + n_k / (n_1 + … + n_k) · (mean of block k − m), so that one block gives its mean, bit for bit.
    """
    mean, seen = torch.zeros(()), 0
    for block in blocks:
        seen += len(block)
        mean = mean + (block.mean(dim=0) - mean) * (len(block) / seen)
    return mean


def class_directions(prototypes: Tensor) -> Tensor:
    """Return an orthonormal basis [D_out, C − 1] of the differences between prototypes [C, D_out]."""
    differences = prototypes - prototypes.mean(dim=0)
    basis: Tensor = torch.linalg.qr(differences[:-1].T).Q
    return basis
