"""Which parts of a picture speak for a score, by gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d


def integrated_gradients(
    scores: Callable[[Tensor], Sequence[Tensor]], pixels: Tensor, baseline: Tensor, steps: int
) -> Tensor:
    """Attribute scores to pixels along the straight line from a baseline.

    a = (x − x') ⊙ (1/m) Σ_k ∂F/∂x at x' + (k − ½)/m · (x − x'), k = 1 … m; as m grows, the sum of a over a
    picture becomes F(x) − F(x') (Sundararajan et al., 2017, eq. 3; their completeness axiom).

    Parameters
    ----------
    scores : callable
        Takes pixels [B, 3, H, W]; returns S scores [B], each of whose rows depends on its own picture alone.
    pixels, baseline : Tensor [B, 3, H, W]
        x and x'.
    steps : int
        m, at least 1; one forward pass and S backward passes each.

    Returns
    -------
    Tensor [S, B, H, W]
        a, summed over channels, in units of the scores.
    """
    way = pixels - baseline
    total = torch.zeros(())
    for step in range(steps):
        x = (baseline + (step + 0.5) / steps * way).detach().requires_grad_()
        gradients = [torch.autograd.grad(score.sum(), x, retain_graph=True)[0] for score in scores(x)]
        total = total + torch.stack(gradients)
    return (way * total / steps).sum(dim=2)


def cell_sums(values: Tensor, cells: int) -> Tensor:
    """Return [..., cells, cells]: the sums of values [..., H, W] over a grid of equal cells.

    Where H or W is no multiple of `cells`, cells overlap by a pixel and the sums are near, not exact.
    """
    height, width = values.shape[-2:]
    means = adaptive_avg_pool2d(values.flatten(0, -3)[:, None], cells)
    sums = means * (height * width / cells**2)
    return sums.reshape(*values.shape[:-2], cells, cells)
