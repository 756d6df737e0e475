"""The optimisation step against torch's own, the schedule against its formula."""

from math import cos, pi

import pytest
import torch

from evenhand.methods._training.loop import SGD, descend
from evenhand.methods.cfr.calibrate import cosine_schedule


def test_a_step_is_that_of_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    start = [
        torch.randn(3, 4, generator=generator, dtype=torch.float64),
        torch.randn((), dtype=torch.float64),
    ]
    ours, theirs = ([t.clone().requires_grad_() for t in start] for _ in range(2))
    sgd = SGD(learning_rate=0.1, epochs=1, momentum=0.9, weight_decay=1e-2)
    optimiser = torch.optim.SGD(theirs, lr=0.1, momentum=0.9, weight_decay=1e-2)
    velocity = [torch.zeros_like(t) for t in ours]
    for _ in range(5):
        for parameters in (ours, theirs):
            loss = (parameters[0].sin() * parameters[1]).sum()
            gradients = torch.autograd.grad(loss, parameters)
            if parameters is ours:
                descend(ours, gradients, velocity, sgd)
            else:
                for parameter, gradient in zip(theirs, gradients, strict=True):
                    parameter.grad = gradient
                optimiser.step()
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("epoch", [0, 25, 50, 99])
def test_the_schedule(epoch: int) -> None:
    assert cosine_schedule(epoch, 100, 0.5) == pytest.approx(1 + 0.5 * cos(2 * pi * epoch / 100))
