"""Which parts of an image raise a score, by gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d


def integrated_gradients(
    scores: Callable[[Tensor], Sequence[Tensor]], pixels: Tensor, baseline: Tensor, steps: int
) -> Tensor:
    """Return integrated gradients: each pixel's share of the change in a score from a baseline image.

        a = (x − x') ⊙ (1/m) Σ_k ∂F/∂x at x' + (k − ½)/m · (x − x'),  k = 1 … m

    As m grows, the sum of a over an image approaches F(x) − F(x').

    Parameters
    ----------
    scores : callable
        Takes pixels [B, 3, H, W] and returns S scores F, each a Tensor [B]. The score of an image must not
        depend on the other images of the batch.
    pixels, baseline : Tensor [B, 3, H, W]
        x and x'.
    steps : int
        m, at least 1. A step costs one forward pass and S backward passes.

    Returns
    -------
    Tensor [S, B, H, W]
        a, summed over the channels.

    References
    ----------
    M. Sundararajan, A. Taly, Q. Yan, Axiomatic Attribution for Deep Networks, ICML 2017, eq. 3.

    Examples
    --------
    >>> import torch
    >>> pixels, black = torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    >>> integrated_gradients(lambda x: [x.square().sum(dim=(1, 2, 3))], pixels, black, steps=4).tolist()
    [[[[3.0, 3.0], [3.0, 3.0]]]]
    """
    change = pixels - baseline
    total = torch.zeros(())
    for step in range(steps):
        x = (baseline + (step + 0.5) / steps * change).detach().requires_grad_()
        gradients = [torch.autograd.grad(score.sum(), x, retain_graph=True)[0] for score in scores(x)]
        total = total + torch.stack(gradients)
    return (change * total / steps).sum(dim=2)


def cell_sums(values: Tensor, cells: int) -> Tensor:
    """Return the sums of a map over a grid of equal cells.

    If H or W is not a multiple of `cells`, neighboring cells overlap by a pixel, and the sums are
    approximate.

    Parameters
    ----------
    values : Tensor [..., H, W]
        One or more maps.
    cells : int
        Cells along each side of the grid.

    Returns
    -------
    Tensor [..., cells, cells]

    Examples
    --------
    >>> import torch
    >>> cell_sums(torch.ones(1, 4, 4), cells=2).tolist()
    [[[4.0, 4.0], [4.0, 4.0]]]
    """
    height, width = values.shape[-2:]
    means = adaptive_avg_pool2d(values.flatten(0, -3)[:, None], cells)
    sums = means * (height * width / cells**2)
    return sums.reshape(*values.shape[:-2], cells, cells)
