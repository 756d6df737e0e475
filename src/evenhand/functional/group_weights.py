"""Group distributionally robust optimization: mean losses of groups, and the weights of the groups."""

from __future__ import annotations

import torch
from torch import Tensor


def group_means(losses: Tensor, groups: Tensor, n_groups: int) -> Tensor:
    """Return the mean loss of each group.

    Parameters
    ----------
    losses : Tensor [B]
        One loss per row.
    groups : int64 Tensor [B]
        Group codes below `n_groups`.
    n_groups : int
        Number of groups G.

    Returns
    -------
    Tensor [G]
        0 for a group without rows.

    Examples
    --------
    >>> import torch
    >>> group_means(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0, 0, 2]), n_groups=3).tolist()
    [2.0, 0.0, 5.0]
    """
    sums = losses.new_zeros(n_groups).index_add(0, groups, losses)
    return sums / torch.bincount(groups, minlength=n_groups).clamp(min=1)


def update_group_weights(q: Tensor, means: Tensor, step_size: float) -> Tensor:
    """Return the weights of the groups after one exponentiated gradient step, which favors high losses.

        q'_g = q_g e^{η L_g} / Σ_k q_k e^{η L_k}

    Parameters
    ----------
    q : Tensor [G]
        Weights of the groups, above 0, which sum to 1.
    means : Tensor [G]
        Mean loss L_g of each group.
    step_size : float
        η, at least 0.

    Returns
    -------
    Tensor [G]
        q', which sums to 1.

    References
    ----------
    S. Sagawa et al., Distributionally Robust Neural Networks for Group Shifts, ICLR 2020, arXiv 1911.08731,
    algorithm 1.

    Examples
    --------
    >>> import torch
    >>> q = update_group_weights(torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0]), step_size=1.0)
    >>> round((q[1] / q[0]).item(), 4)  # e
    2.7183
    """
    return (q.log() + step_size * means).softmax(dim=0)
