"""Coordinates in which a step of gradient descent means the same for every backbone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evenhand.backbones.projection import LinearProjection, Projection


@dataclass(frozen=True)
class Coordinates:
    """Features are divided by `features`; W and b are scaled so that what they give is divided by `outputs`.

    Unit vectors z stay what they are. The published step belongs to an attention pool as it is, so that there
    both are 1; a linear projection is trained in unit coordinates, where features and projected rows have
    root-mean-square norm 1, and gradients with respect to W no longer depend on the scale of the trunk.

    Attributes
    ----------
    features, outputs : float
        What is divided by.
    """

    features: float = 1.0
    outputs: float = 1.0

    @classmethod
    def of(cls, projection: Projection, h: Tensor) -> Coordinates:
        """Return the coordinates in which a projection of features h [N, D_in] is trained."""
        if not isinstance(projection, LinearProjection):
            return cls()
        weight, bias = projection.weight, projection.bias
        outputs = h @ weight if bias is None else torch.addmm(bias, h, weight)
        return cls(_root_mean_square(h), _root_mean_square(outputs))

    def scaled(self, h: Tensor) -> Tensor:
        """Return raw features h [N, D_in] in these coordinates."""
        return h if self.features == 1 else h / self.features

    def to_unit(self, projection: Projection) -> Projection:
        """Return the same map for scaled features."""
        if not isinstance(projection, LinearProjection):
            return projection
        bias = None if projection.bias is None else projection.bias / self.outputs
        return LinearProjection(projection.weight * (self.features / self.outputs), bias)

    def to_raw(self, projection: Projection) -> Projection:
        """Return the same map for raw features."""
        if not isinstance(projection, LinearProjection):
            return projection
        bias = None if projection.bias is None else projection.bias * self.outputs
        return LinearProjection(projection.weight * (self.outputs / self.features), bias)


def _root_mean_square(rows: Tensor) -> float:
    value = float(rows.square().sum(dim=1).mean().sqrt())
    return value if value > 0 else 1.0
