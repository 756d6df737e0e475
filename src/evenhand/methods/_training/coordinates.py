"""Coordinates in which a learning rate means the same for every backbone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import torch

from evenhand.backbones.projection import LinearProjection, Projection
from evenhand.methods._training.rows import RowView


@dataclass(frozen=True)
class Coordinates:
    """Divisors of features and of projected rows; unit embeddings do not change.

    A linear projection is trained in coordinates where features and projected rows have root-mean-square norm
    1, so gradients do not depend on the scale of the trunk. An attention pool is trained as it is, with both
    divisors 1, since the published learning rate is for it.

    Attributes
    ----------
    features, outputs : float
        Divisors of the features and of the projected rows.
    """

    features: float = 1.0
    outputs: float = 1.0

    @classmethod
    def of(cls, projection: Projection, rows: RowView) -> Coordinates:
        """Return the coordinates for training a projection of raw feature rows."""
        if not isinstance(projection, LinearProjection):
            return cls()
        weight, bias = projection.weight, projection.bias
        inputs = outputs = 0.0
        for h in rows.blocks():
            inputs += float(h.square().sum(dtype=torch.float64))
            out = h @ weight if bias is None else torch.addmm(bias, h, weight)
            outputs += float(out.square().sum(dtype=torch.float64))
        return cls(_root_mean_square(inputs, len(rows)), _root_mean_square(outputs, len(rows)))

    def scaled(self, rows: RowView) -> RowView:
        """Return raw rows in these coordinates."""
        return replace(rows, divisor=self.features)

    def to_unit(self, projection: Projection) -> Projection:
        """Return the projection for scaled features that equals a projection of raw features."""
        if not isinstance(projection, LinearProjection):
            return projection
        bias = None if projection.bias is None else projection.bias / self.outputs
        return LinearProjection(projection.weight * (self.features / self.outputs), bias)

    def to_raw(self, projection: Projection) -> Projection:
        """Return the projection of raw features that equals a projection for scaled features, on the CPU."""
        projection = projection.to("cpu")
        if not isinstance(projection, LinearProjection):
            return projection
        bias = None if projection.bias is None else projection.bias * self.outputs
        return LinearProjection(projection.weight * (self.outputs / self.features), bias)


def _root_mean_square(total: float, n: int) -> float:
    return sqrt(total / n) if total > 0 else 1.0
