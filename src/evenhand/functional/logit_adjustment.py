"""Cross-entropy adjusted for the frequencies of the classes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def log_prior(y: Tensor, n_classes: int) -> Tensor:
    """Return the logarithm of the share of each class, ln(n_c / N).

    Parameters
    ----------
    y : int64 Tensor [N]
        Class codes; every class has a row.
    n_classes : int
        Number of classes C.

    Returns
    -------
    float64 Tensor [C]

    Examples
    --------
    >>> import torch
    >>> log_prior(torch.tensor([0, 1, 1, 1]), n_classes=2).exp().tolist()
    [0.25, 0.75]
    """
    return (torch.bincount(y, minlength=n_classes).double() / len(y)).log()


def logit_adjusted_cross_entropy(logits: Tensor, y: Tensor, log_priors: Tensor, tau: float = 1.0) -> Tensor:
    """Return the logit-adjusted cross-entropy.

        L = mean_i [ −log softmax(f_i + τ ln π)_{y_i} ]

    A model that minimizes L predicts by f alone. With τ = 1 it predicts as if all classes were equally
    frequent.

    Parameters
    ----------
    logits : Tensor [N, C]
        f.
    y : int64 Tensor [N]
        Class codes.
    log_priors : Tensor [C]
        ln π (see `log_prior`).
    tau : float, default=1.0
        τ, at least 0; 0 is plain cross-entropy.

    Returns
    -------
    Tensor []

    References
    ----------
    A. K. Menon et al., Long-Tail Learning via Logit Adjustment, ICLR 2021, arXiv 2007.07314, eq. 10.

    Examples
    --------
    >>> import torch
    >>> y, logits = torch.tensor([0, 1, 1, 1]), torch.zeros(4, 2, dtype=torch.float64)
    >>> round(logit_adjusted_cross_entropy(logits, y, log_prior(y, 2)).item(), 4)  # the entropy of (1/4, 3/4)
    0.5623
    """
    return cross_entropy(logits + tau * log_priors, y)
