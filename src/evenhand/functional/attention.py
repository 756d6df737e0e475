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
    """Return what the heads gather from each map, side by side, before the last linear map.

    With x_1 … x_L the places of a map, x_0 their mean and p the positional embedding, let u_l = x_l + p_l;
    head k asks from place 0 only:

        q_k = u_0 Q_k + b_k,  a_k = softmax_l( u_l K_k · q_k / √d ),  out_k = (Σ_l a_kl u_l) V_k + c_k

    The keys and values of all L + 1 places are never made, since u_l K_k · q_k = u_l · (K_k q_k), and
    Σ_l a_kl (u_l V_k + c_k) = (Σ_l a_kl u_l) V_k + c_k: the work is little more than one place's. A bias on
    the keys would add the same number to every place's score, which the softmax takes away again: there is
    none here.

    Parameters
    ----------
    h : Tensor [N, D L]
        Maps of D channels and L places, flattened channel by channel.
    positional_embedding : Tensor [1 + L, D]
        p, for the mean first.
    query_weight, key_weight, value_weight : Tensor [D, heads, d]
        Q, K, V.
    query_bias, value_bias : Tensor [heads, d]
        b, c.

    Returns
    -------
    Tensor [N, heads · d]
        out_1 … out_heads.

    References
    ----------
    A. Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021, §2.4;
    A. Vaswani et al., Attention Is All You Need, NIPS 2017, §3.2.
    """
    places, channels = positional_embedding.shape
    # Not len(h): in an exported graph the number of maps stays open.
    x = h.reshape(h.shape[0], channels, places - 1).mT
    u = torch.cat([x.mean(dim=1, keepdim=True), x], dim=1) + positional_embedding
    q = torch.einsum("nc,chd->nhd", u[:, 0], query_weight) + query_bias
    asked = torch.einsum("nhd,chd->nhc", q, key_weight)
    attention = torch.softmax(asked @ u.mT / sqrt(q.shape[-1]), dim=-1)
    out: Tensor = torch.einsum("nhc,chd->nhd", attention @ u, value_weight) + value_bias
    return out.flatten(1)
