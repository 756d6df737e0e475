import pytest
import torch
from torch import Tensor, nn

from evenhand.functional.attention import attention_pool

HEADS, CHANNELS, PLACES, WIDTH = 3, 6, 4, 2


def tensors(dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "h": (5, CHANNELS * PLACES),
        "positional_embedding": (1 + PLACES, CHANNELS),
        "query_weight": (CHANNELS, HEADS, WIDTH),
        "query_bias": (HEADS, WIDTH),
        "key_weight": (CHANNELS, HEADS, WIDTH),
        "value_weight": (CHANNELS, HEADS, WIDTH),
        "value_bias": (HEADS, WIDTH),
    }
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        for name, shape in shapes.items()
    }


def slow(t: dict[str, Tensor]) -> Tensor:
    """The docstring's first three lines, head by head and row by row, keys and values of all places made."""
    out = []
    for row in t["h"]:
        x = row.reshape(CHANNELS, PLACES).T
        u = torch.cat([x.mean(dim=0)[None], x]) + t["positional_embedding"]
        gathered = []
        for k in range(HEADS):
            q = u[0] @ t["query_weight"][:, k] + t["query_bias"][k]
            scores = torch.stack([(place @ t["key_weight"][:, k]) @ q / WIDTH**0.5 for place in u])
            share = scores.exp() / scores.exp().sum()
            values = u @ t["value_weight"][:, k] + t["value_bias"][k]
            gathered.append(sum(a * value for a, value in zip(share, values, strict=True)))
        out.append(torch.cat(gathered))
    return torch.stack(out)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_is_the_slow_loop(dtype: torch.dtype, tolerance: float) -> None:
    found = attention_pool(**tensors(dtype))
    assert found.dtype == dtype
    assert torch.allclose(found.double(), slow(tensors()), atol=tolerance, rtol=0)


def test_is_torchs_multi_head_attention_whatever_the_bias_of_the_keys() -> None:
    t = tensors()
    x = t["h"].view(5, CHANNELS, PLACES).permute(2, 0, 1)
    u = torch.cat([x.mean(dim=0, keepdim=True), x]) + t["positional_embedding"][:, None]
    attention = nn.MultiheadAttention(CHANNELS, HEADS, dtype=torch.float64)
    with torch.no_grad():
        weights = [t[f"{name}_weight"].flatten(1).T for name in ("query", "key", "value")]
        attention.in_proj_weight.copy_(torch.cat(weights))
        key_bias = torch.randn(CHANNELS, dtype=torch.float64)
        attention.in_proj_bias.copy_(
            torch.cat([t["query_bias"].flatten(), key_bias, t["value_bias"].flatten()])
        )
        attention.out_proj.weight.copy_(torch.eye(CHANNELS))
        own = attention(u, u, u)[0][0]
    assert torch.allclose(attention_pool(**t), own, atol=1e-12, rtol=0)


def test_gradients() -> None:
    t = {name: tensor.requires_grad_() for name, tensor in tensors().items()}
    assert torch.autograd.gradcheck(attention_pool, tuple(t.values()))
