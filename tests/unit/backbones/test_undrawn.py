"""What draws initial weights leaves them alone; all else goes on as ever."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from evenhand.backbones.undrawn import Undrawn

DRAWS: list[Callable[[Tensor], object]] = [
    Tensor.normal_,
    Tensor.uniform_,
    nn.init.normal_,
    nn.init.uniform_,
    nn.init.kaiming_uniform_,
    nn.init.xavier_uniform_,
    nn.init.xavier_normal_,
    nn.init.kaiming_normal_,
]


@pytest.mark.parametrize("draw", DRAWS)
def test_a_draw_returns_the_tensor_as_it_is_and_takes_no_random_number(
    draw: Callable[[Tensor], object],
) -> None:
    weight, state = nn.Parameter(torch.ones(3, 2)), torch.get_rng_state()
    with Undrawn(), torch.no_grad():
        assert draw(weight) is weight
    assert torch.equal(weight, torch.ones(3, 2))
    assert torch.equal(state, torch.get_rng_state())


def test_constants_and_arithmetic_go_on() -> None:
    with Undrawn():
        norm, attention = nn.LayerNorm(4), nn.MultiheadAttention(4, 2)
        assert torch.equal(norm(torch.zeros(1, 4)), torch.zeros(1, 4))
    assert torch.equal(norm.weight, torch.ones(4))
    assert torch.equal(attention.in_proj_bias, torch.zeros(12))


def test_outside_it_weights_are_drawn() -> None:
    with Undrawn():
        pass
    assert bool(torch.zeros(9).normal_().any())
