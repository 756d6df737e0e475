"""Group distributionally robust optimisation (arXiv 1911.08731): the loss, and the weights of the groups."""

from __future__ import annotations

import torch
from torch import Tensor


def group_means(losses: Tensor, groups: Tensor, n_groups: int) -> Tensor:
    """Return the mean loss of each group, [G], from losses [B] and groups [B]; 0 for a group without rows."""
    sums = losses.new_zeros(n_groups).index_add(0, groups, losses)
    return sums / torch.bincount(groups, minlength=n_groups).clamp(min=1)


def raised(q: Tensor, means: Tensor, step_size: float) -> Tensor:
    """Return q'_g = q_g e^{η L_g} / Σ_g' q_g' e^{η L_g'}: exponentiated ascent, so that hard groups gain.

    Parameters
    ----------
    q : Tensor [G]
        Weights that sum to 1.
    means : Tensor [G]
        L_g.
    step_size : float
        η.
    """
    return (q.log() + step_size * means).softmax(dim=0)
