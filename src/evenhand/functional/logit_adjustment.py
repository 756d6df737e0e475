"""Cross-entropy that allows for how frequent the classes are (Menon et al., arXiv 2007.07314)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def log_prior(y: Tensor, n_classes: int) -> Tensor:
    """Return ln(n_c / N), float64 [C], of codes y [N], each of which has a row."""
    return (torch.bincount(y, minlength=n_classes).double() / len(y)).log()


def logit_adjusted_cross_entropy(logits: Tensor, y: Tensor, log_priors: Tensor, tau: float = 1.0) -> Tensor:
    """Return the mean over rows of −log softmax(f_i + τ ln π)_{y_i}.

    A model trained so predicts by f alone, as if the classes were equally frequent where τ = 1.

    Parameters
    ----------
    logits : Tensor [N, C]
        f.
    y : int64 Tensor [N]
        Codes.
    log_priors : Tensor [C]
        ln π.
    tau : float
        Strength; 0 is plain cross-entropy.
    """
    return cross_entropy(logits + tau * log_priors, y)
