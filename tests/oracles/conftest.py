from typing import Protocol

import pytest
import torch

from evenhand.functional.geometry import unit


class Vectors(Protocol):
    def __call__(self, *shape: int, seed: int = 0) -> torch.Tensor: ...


@pytest.fixture
def vectors() -> Vectors:
    """Return a function that draws unit vectors, float64 [..., D], of a seed."""

    def draw(*shape: int, seed: int = 0) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return unit(torch.randn(*shape, generator=generator, dtype=torch.float64))

    return draw


@pytest.fixture(
    params=[(torch.float64, 1e-12), (torch.float32, 5e-6), (torch.bfloat16, 2e-2)],
    ids=["float64", "float32", "bfloat16"],
)
def precision(request: pytest.FixtureRequest) -> tuple[torch.dtype, float]:
    """Return a dtype and the relative error that it may leave; oracles start from the rounded inputs."""
    return request.param
