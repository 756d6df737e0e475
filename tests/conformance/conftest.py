"""Rows with a shortcut, and a slow ERM in float64 to hold methods against."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import pytest
import torch
from torch import Tensor

from evenhand import Head
from evenhand._random import torch_stream
from evenhand._typing import Floats, Ints
from evenhand.methods._training.loop import SGD

WIDTH = 6


class World(Protocol):
    def __call__(
        self, n: int, classes: int, *, seed: int = 0, share: float = 0.5
    ) -> tuple[Floats, Ints, Ints]: ...


class SlowErm(Protocol):
    def __call__(
        self, X: Floats, y: Ints, classes: int, sgd: SGD, *, weights: Floats | None = None, seed: int = 0
    ) -> tuple[Floats, float]: ...


@pytest.fixture
def world() -> World:
    """Return X [n, 6], y [n] with a share `share` of class 0, and an attribute that shouts louder than y."""

    def draw(n: int, classes: int, *, seed: int = 0, share: float = 0.5) -> tuple[Floats, Ints, Ints]:
        generator = np.random.default_rng(seed)
        y = np.where(generator.random(n) < share, 0, generator.integers(1, classes, n))
        attribute = np.where(generator.random(n) < 0.8, y, generator.integers(0, classes, n))
        X = generator.normal(size=(n, WIDTH))
        X[np.arange(n), y] += 1.5
        X[np.arange(n), WIDTH - 1 - attribute] += 2
        return X.astype(np.float32), y, attribute

    return draw


@pytest.fixture
def head() -> Callable[[int], Head]:
    """Return the identity as projection, with the first axes as prototypes of classes 0, 1, …."""
    eye = np.eye(WIDTH, dtype=np.float32)
    return lambda classes: Head(eye, None, tuple(map(str, range(classes))), eye[:classes])


@pytest.fixture
def slow_erm() -> SlowErm:
    """Return W and s after SGD on the weighted mean cross-entropy, row by row in float64."""

    def train(
        X: Floats, y: Ints, classes: int, sgd: SGD, *, weights: Floats | None = None, seed: int = 0
    ) -> tuple[Floats, float]:
        unit = float(np.sqrt(np.square(X.astype(np.float64)).sum(axis=1).mean()))
        h = torch.from_numpy(X.astype(np.float64) / unit)
        w = np.ones(len(y)) if weights is None else weights
        weight = torch.eye(WIDTH, dtype=torch.float64, requires_grad=True)
        log_scale = torch.tensor(float(np.log(1 / 0.07)), dtype=torch.float64, requires_grad=True)
        velocity = [torch.zeros_like(weight), torch.zeros_like(log_scale)]
        stream = torch_stream(seed, "erm")

        def row_loss(i: int) -> Tensor:
            z = h[i] @ weight
            logits = log_scale.exp() * (z / z.norm())[:classes]
            return -(logits[int(y[i])] - logits.exp().sum().log())

        for _ in range(sgd.epochs):
            for batch in torch.split(torch.randperm(len(y), generator=stream), sgd.batch_size):
                loss = sum(float(w[i]) * row_loss(i) for i in batch.tolist()) / len(batch)
                for p, v, gradient in zip(
                    (weight, log_scale), velocity, torch.autograd.grad(loss, (weight, log_scale)), strict=True
                ):
                    v.mul_(sgd.momentum).add_(gradient + sgd.weight_decay * p.detach())
                    p.data.sub_(sgd.learning_rate * v)
        return weight.detach().numpy(), float(log_scale.detach().exp())

    return train
