"""Multi-head attention pooling of a feature map, as in the ResNets of CLIP."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor


def attention_pool(
    h: Tensor,
    positional_embedding: Tensor,
    query_weight: Tensor,
    query_bias: Tensor,
    key_weight: Tensor,
    value_weight: Tensor,
    value_bias: Tensor,
) -> Tensor:
    """Return the outputs of all attention heads, concatenated, before the final linear layer.

    Let x_1 … x_L be the positions of a map, x_0 their mean, p the positional embedding and u_l = x_l + p_l.
    Only position 0 is a query. Head k computes

        q_k = u_0 Q_k + b_k,  a_k = softmax_l( u_l K_k · q_k / √d ),  out_k = (Σ_l a_kl u_l) V_k + c_k

    The keys and values of the other positions are never computed: u_l K_k · q_k = u_l · (K_k q_k), and
    Σ_l a_kl (u_l V_k + c_k) = (Σ_l a_kl u_l) V_k + c_k. A bias on the keys would add the same number to every
    score of a head, which the softmax cancels, so there is none.

    Parameters
    ----------
    h : Tensor [N, D L]
        Maps of D channels and L positions, flattened channel by channel.
    positional_embedding : Tensor [1 + L, D]
        p; the first row belongs to the mean.
    query_weight, key_weight, value_weight : Tensor [D, heads, d]
        Q, K and V.
    query_bias, value_bias : Tensor [heads, d]
        b and c.

    Returns
    -------
    Tensor [N, heads · d]
        out_1 … out_heads, concatenated.

    References
    ----------
    A. Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021, §2.4;
    A. Vaswani et al., Attention Is All You Need, NIPS 2017, §3.2.

    Examples
    --------
    >>> import torch
    >>> h, positions, q = torch.ones(5, 2 * 9), torch.zeros(10, 2), torch.ones(2, 4, 3)
    >>> attention_pool(h, positions, q, torch.zeros(4, 3), q, q, torch.zeros(4, 3)).shape
    torch.Size([5, 12])
    """
    positions, channels = positional_embedding.shape
    # Not len(h): in an exported graph the number of maps stays open.
    x = h.reshape(h.shape[0], channels, positions - 1).mT
    u = torch.cat([x.mean(dim=1, keepdim=True), x], dim=1) + positional_embedding
    q = torch.einsum("nc,chd->nhd", u[:, 0], query_weight) + query_bias
    scores = torch.einsum("nhd,chd->nhc", q, key_weight)
    attention = torch.softmax(scores @ u.mT / sqrt(q.shape[-1]), dim=-1)
    out: Tensor = torch.einsum("nhc,chd->nhd", attention @ u, value_weight) + value_bias
    return out.flatten(1)
