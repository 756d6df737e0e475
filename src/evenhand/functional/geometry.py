"""Unit vectors, prototypes and cosine logits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def unit(x: Tensor, dim: int = -1) -> Tensor:
    """Return x / ‖x‖₂ along one axis; a zero vector stays zero.

    Parameters
    ----------
    x : Tensor [..., D]
        Any real vectors.
    dim : int, default=-1
        The axis of the vectors.

    Returns
    -------
    Tensor [..., D]
        Unit vectors.

    Examples
    --------
    >>> import torch
    >>> unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    z: Tensor = _Unit.apply(x, dim)
    return z


class _Unit(torch.autograd.Function):
    """z = x / ‖x‖ and its gradient (g − z (z·g)) / ‖x‖, in fewer passes over x than autograd needs.

    Every training step normalizes all of its rows, so these passes matter.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, dim: int) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=dim, keepdim=True)
        # A zero vector is divided by 1, not by a tiny number, so that its gradient stays finite.
        divisor = torch.where(norm > 0, norm, 1)
        z = x / divisor
        ctx.save_for_backward(z, divisor)
        ctx.dim = dim
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        z, divisor = ctx.saved_tensors
        along = (z * g).sum(ctx.dim, keepdim=True)
        return torch.addcmul(g, z, along, value=-1).div_(divisor), None


def project(h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return z = unit(h W + b).

    Parameters
    ----------
    h : Tensor [N, D_in]
        Features of the trunk, before the projection.
    weight : Tensor [D_in, D_out]
        W.
    bias : Tensor [D_out] or None
        b; None if the projection has no bias.

    Returns
    -------
    Tensor [N, D_out]
        Unit vectors.

    Examples
    --------
    >>> import torch
    >>> project(torch.tensor([[2.0, 0.0]]), torch.eye(2), bias=None).tolist()
    [[1.0, 0.0]]
    """
    return unit(h @ weight if bias is None else torch.addmm(bias, h, weight))


def cosine_logits(z: Tensor, prototypes: Tensor, scale: Tensor | float) -> Tensor:
    """Return the logits s · z_i · t_c.

    Parameters
    ----------
    z : Tensor [N, D_out]
        Unit embeddings.
    prototypes : Tensor [C, D_out]
        Unit prototypes t_c, one per class.
    scale : Tensor [] or float
        Logit scale s.

    Returns
    -------
    Tensor [N, C]

    Examples
    --------
    >>> import torch
    >>> cosine_logits(torch.tensor([[1.0, 0.0]]), torch.eye(2), scale=100.0).tolist()
    [[100.0, 0.0]]
    """
    return scale * (z @ prototypes.T)


def prototypes(embeddings: Tensor) -> Tensor:
    """Return one prototype per class: the normalized mean of its prompts' normalized embeddings.

        t_c = unit( mean over p of unit(e_cp) )

    Parameters
    ----------
    embeddings : Tensor [C, P, D_out]
        e_cp, one text embedding per class and prompt.

    Returns
    -------
    Tensor [C, D_out]
        Unit vectors t_c.

    References
    ----------
    A. Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021.

    Examples
    --------
    >>> import torch
    >>> prototypes(torch.tensor([[[2.0, 0.0], [5.0, 0.0]]])).tolist()
    [[1.0, 0.0]]
    """
    return unit(unit(embeddings).mean(dim=1))


def class_centroids(z: Tensor, y: Tensor, n_classes: int) -> Tensor:
    """Return the normalized mean embedding of each class, which serves as a prototype if there is no text.

        μ_c = unit( Σ_{i: y_i = c} z_i )

    Parameters
    ----------
    z : Tensor [N, D]
        Unit embeddings, centered before they were normalized (see `centered_bias`).
    y : int64 Tensor [N]
        Class codes below `n_classes`.
    n_classes : int
        Number of classes C.

    Returns
    -------
    Tensor [C, D]
        Unit vectors; zero for a class without rows.

    Examples
    --------
    >>> import torch
    >>> class_centroids(torch.eye(2), torch.tensor([1, 1]), n_classes=2).tolist()
    [[0.0, 0.0], [0.7071067690849304, 0.7071067690849304]]
    """
    return unit(class_sums(z, y, n_classes))


def class_sums(z: Tensor, y: Tensor, n_classes: int) -> Tensor:
    """Return Σ z_i over the rows of each class.

    Parameters
    ----------
    z : Tensor [N, D]
        Rows.
    y : int64 Tensor [N]
        Class codes below `n_classes`.
    n_classes : int
        Number of classes C.

    Returns
    -------
    Tensor [C, D]
        Zero for a class without rows.

    Examples
    --------
    >>> import torch
    >>> class_sums(torch.eye(2), torch.tensor([1, 1]), n_classes=2).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """
    return z.new_zeros(n_classes, z.shape[1]).index_add_(0, y, z)


def centered_bias(h: Tensor, weight: Tensor) -> Tensor:
    """Return b0 = −m W0 with m the mean row of h: the bias that centers the projected rows.

    Parameters
    ----------
    h : Tensor [N, D_in]
        Features before the projection.
    weight : Tensor [D_in, D_out]
        W0.

    Returns
    -------
    Tensor [D_out]

    Examples
    --------
    >>> import torch
    >>> centered_bias(torch.tensor([[1.0, 0.0], [3.0, 0.0]]), torch.eye(2)).tolist()
    [-2.0, -0.0]
    """
    return -(h.mean(dim=0) @ weight)


def mean_row(blocks: Iterable[Tensor]) -> Tensor:
    """Return the mean row of an array that comes in blocks.

        m ← m + n_k / (n_1 + … + n_k) · (mean of block k − m)

    A single block gives exactly its own mean.

    Parameters
    ----------
    blocks : iterable of Tensor [n_k, D]
        Blocks of rows, none of them empty.

    Returns
    -------
    Tensor [D]

    Examples
    --------
    >>> import torch
    >>> mean_row([torch.tensor([[0.0]]), torch.tensor([[3.0], [6.0]])]).tolist()
    [3.0]
    """
    mean, seen = torch.zeros(()), 0
    for block in blocks:
        seen += len(block)
        mean = mean + (block.mean(dim=0) - mean) * (len(block) / seen)
    return mean


def class_directions(prototypes: Tensor) -> Tensor:
    """Return an orthonormal basis of the differences between prototypes.

    Parameters
    ----------
    prototypes : Tensor [C, D_out]
        One vector per class.

    Returns
    -------
    Tensor [D_out, C − 1]
        Orthonormal columns.

    Examples
    --------
    >>> import torch
    >>> class_directions(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])).abs().tolist()
    [[1.0], [0.0]]
    """
    differences = prototypes - prototypes.mean(dim=0)
    basis: Tensor = torch.linalg.qr(differences[:-1].T).Q
    return basis
