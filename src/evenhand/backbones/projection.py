"""The map from trunk features to the space shared with text: what calibration trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import Tensor, nn

from evenhand._errors import EvenhandError
from evenhand.backbones.sites import write_projection
from evenhand.data.head import Head
from evenhand.functional.geometry import project


class Projection(Protocol):
    """Trunk features in, unit vectors out; trainable, and at home in a model."""

    def apply(self, h: Tensor) -> Tensor:
        """Return unit z [N, D_out] for trunk features h [N, D_in]."""

    def parameters(self) -> Iterator[Tensor]:
        """Yield what an optimiser trains."""

    def write_back(self, model: nn.Module) -> None:
        """Copy the weights into the model they came from."""


class LinearProjection:
    """z = unit(h W + b).

    Parameters
    ----------
    weight : Tensor [D_in, D_out]
        W.
    bias : Tensor [D_out] or None
        b, None where the site has none.

    Raises
    ------
    EvenhandError
        If the shapes do not fit.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        if weight.ndim != 2 or (bias is not None and bias.shape != weight.shape[1:]):
            shape = None if bias is None else tuple(bias.shape)
            raise EvenhandError(
                f"weight has shape {tuple(weight.shape)} and bias {shape}; "
                "give weight [D_in, D_out] and bias [D_out] or None"
            )
        self.weight, self.bias = weight, bias

    @staticmethod
    def of(head: Head) -> LinearProjection:
        """Return the pretrained projection of a head, as a copy."""
        # torch.tensor copies; from_numpy would train the head's own arrays.
        bias = None if head.bias is None else torch.tensor(head.bias)
        return LinearProjection(torch.tensor(head.weight), bias)

    def apply(self, h: Tensor) -> Tensor:
        """Return unit z [N, D_out] for trunk features h [N, D_in]."""
        return project(h, self.weight, self.bias)

    def parameters(self) -> Iterator[Tensor]:
        """Yield the weight, then the bias where there is one."""
        yield self.weight
        if self.bias is not None:
            yield self.bias

    def write_back(self, model: nn.Module) -> None:
        """Copy W and b into the projection site of an open_clip model."""
        write_projection(model, self.weight, self.bias)
