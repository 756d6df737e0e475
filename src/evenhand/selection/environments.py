"""Infer two environments from the logits of a reference model (EIIL)."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from evenhand._typing import Floats, Ints


def infer_environments(logits: Floats, y: Ints) -> Ints:
    """Split rows into the two environments in which the reference model breaks invariance most.

    With weights q_i = sigmoid(θ_i), maximize ‖∂_s Σ_i q_i ℓ(s·f_i, y_i) / N‖² + ‖∂_s Σ_i (1 − q_i)
    ℓ(s·f_i, y_i) / N‖² at s = 1 over θ. The gradient of one row is g_i = Σ_c p_ic f_ic − f_iy, a number, so
    the maximum is known: q_i = 1 where g_i > 0 and 0 elsewhere. Proof: with a = Σ q_i g_i and b = Σ (1 − q_i)
    g_i the sum a + b is fixed, hence a² + b² grows with |a − b|, which is largest when q separates the signs.

    Parameters
    ----------
    logits : float [M, C]
        Logits f of the reference model.
    y : int64 [M]
        True class codes.

    Returns
    -------
    int64 [M]
        1 where a smaller logit scale lowers the row's loss (mostly the reference's errors), else 0.

    References
    ----------
    E. Creager, J.-H. Jacobsen, R. Zemel, Environment Inference for Invariant Learning, ICML 2021.
    """
    f = logits.astype(np.float64)
    gradient = (softmax(f, axis=1) * f).sum(axis=1) - f[np.arange(len(y)), y]
    environments: Ints = (gradient > 0).astype(np.int64)
    return environments
