"""An adapter during training, with batch norm over batches."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor
from torch.nn.functional import batch_norm

from evenhand.backbones.projection import AdapterProjection, Projection

EPSILON = 1e-5
"""Added to variances, as in torch."""


@dataclass(frozen=True)
class Adapter:
    """z → relu(norm(z V)) U + b, with V [D, H] and U [H, D].

    Attributes
    ----------
    down, up, bias : Tensor [D, H], [H, D], [D]
        V, U and b, leaves that require a gradient.
    gain, shift : Tensor [H]
        Gain and shift of the batch norm, also leaves.
    mean, variance : Tensor [H]
        Running statistics; each call updates them in place.
    """

    down: Tensor
    up: Tensor
    bias: Tensor
    gain: Tensor
    shift: Tensor
    mean: Tensor
    variance: Tensor

    @classmethod
    def drawn(cls, width: int, hidden: int, generator: torch.Generator) -> Adapter:
        """Draw weights and bias uniformly in ±1/√(inputs), as torch initializes a linear layer."""

        def uniform(*shape: int, inputs: int) -> Tensor:
            drawn = 2 * torch.rand(shape, generator=generator) - 1
            return (drawn / sqrt(inputs)).requires_grad_()

        return cls(
            uniform(width, hidden, inputs=width),
            uniform(hidden, width, inputs=hidden),
            uniform(width, inputs=hidden),
            torch.ones(hidden, requires_grad=True),
            torch.zeros(hidden, requires_grad=True),
            torch.zeros(hidden),
            torch.ones(hidden),
        )

    def __call__(self, z: Tensor) -> Tensor:
        """Return adapted z [B, D] for z [B ≥ 2, D], and update the running statistics."""
        hidden = batch_norm(
            z @ self.down, self.mean, self.variance, self.gain, self.shift, training=True, eps=EPSILON
        )
        return torch.addmm(self.bias, torch.relu(hidden), self.up)

    def parameters(self) -> list[Tensor]:
        """Return the tensors to train."""
        return [self.down, self.up, self.bias, self.gain, self.shift]

    def projection(self, base: Projection) -> AdapterProjection:
        """Return the adapter on top of `base`, with the running statistics in its batch norm."""
        down, up, bias, gain, shift = (tensor.detach() for tensor in self.parameters())
        factor = gain / (self.variance + EPSILON).sqrt()
        return AdapterProjection(
            up.clone(),
            bias.clone(),
            base=base,
            down_weight=down * factor,
            down_bias=shift - self.mean * factor,
        )
