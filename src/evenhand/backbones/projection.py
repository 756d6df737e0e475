"""The map from trunk features to the space shared with text: what calibration trains."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from typing_extensions import Self

from evenhand._errors import EvenhandError
from evenhand.data.head import POOL, Head, projected_width
from evenhand.functional.attention_pool import attention_pool
from evenhand.functional.geometry import centred_bias, project

ROWS = 512
"""Maps pooled at a time: the pool makes several copies of them."""


@dataclass(frozen=True)
class Projection(ABC):
    """z = unit(pool(h) W + b): trunk features in, unit vectors out.

    A value: training makes new ones by `with_tensors`. Where it lives in a model, and how it gets back there,
    is known to `backbones.sites` alone.

    Attributes
    ----------
    weight : Tensor [D, D_out]
        W.
    bias : Tensor [D_out] or None
        b, None where the site has none.
    """

    weight: Tensor
    bias: Tensor | None = None

    @property
    def width(self) -> int:
        """D_in: columns of the features that it takes."""
        return projected_width(self.tensors())

    @abstractmethod
    def pool(self, h: Tensor) -> Tensor:
        """Return [N, D] of features h [N, D_in]: what W acts on."""

    def embed(self, h: Tensor) -> Tensor:
        """Return unit z [N, D_out] of features h [N, D_in]."""
        return project(self.pool(h), self.weight, self.bias)

    def centred(self, h: Tensor) -> Self:
        """Return the same with the bias that centres the projected rows of h [N, D_in]."""
        return replace(self, bias=centred_bias(self.pool(h), self.weight))

    def tensors(self) -> dict[str, Tensor]:
        """Return all that is trained and saved, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: tensor for name, tensor in named.items() if tensor is not None}

    def with_tensors(self, tensors: Mapping[str, Tensor]) -> Self:
        """Return the same kind with other tensors."""
        return replace(self, **tensors)


@dataclass(frozen=True)
class LinearProjection(Projection):
    """z = unit(h W + b).

    Raises
    ------
    EvenhandError
        If the shapes do not fit.
    """

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or (self.bias is not None and self.bias.shape != self.weight.shape[1:]):
            shape = None if self.bias is None else tuple(self.bias.shape)
            raise EvenhandError(
                f"weight has shape {tuple(self.weight.shape)} and bias {shape}; "
                "give weight [D_in, D_out] and bias [D_out] or None"
            )

    def pool(self, h: Tensor) -> Tensor:
        """Return h itself."""
        return h


@dataclass(frozen=True, kw_only=True)
class AttentionPoolProjection(Projection):
    """z = unit(attention_pool(h) W + b): a ResNet's whole attention pool, on flattened maps.

    Attributes
    ----------
    positional_embedding, query_weight, query_bias, key_weight, value_weight, value_bias : Tensor
        As in `functional.attention_pool`; their shapes tell channels, places and heads.

    Raises
    ------
    EvenhandError
        If the shapes do not fit.
    """

    positional_embedding: Tensor
    query_weight: Tensor
    query_bias: Tensor
    key_weight: Tensor
    value_weight: Tensor
    value_bias: Tensor

    def __post_init__(self) -> None:
        heads = tuple(self.query_bias.shape)
        channels, out = self.positional_embedding.shape[-1], self.weight.shape[-1]
        wanted = {
            "weight": (self.value_bias.numel(), out),
            "bias": (out,),
            "positional_embedding": (len(self.positional_embedding), channels),
            **{f"{name}_weight": (channels, *heads) for name in ("query", "key", "value")},
            **{f"{name}_bias": heads for name in ("query", "value")},
        }
        for name, tensor in self.tensors().items():
            if tuple(tensor.shape) != wanted[name] or len(heads) != 2:
                raise EvenhandError(
                    f"{name} of the attention pool has shape {tuple(tensor.shape)} where the others ask for "
                    f"{wanted[name]}; give the tensors of one pool, biases [heads, d]"
                )

    def pool(self, h: Tensor) -> Tensor:
        """Return what the heads gather from flattened maps."""
        own = [getattr(self, name) for name in POOL]
        return torch.cat([attention_pool(rows, *own) for rows in torch.split(h, ROWS)])


def projection_of(tensors: Mapping[str, Tensor]) -> Projection:
    """Return the projection that has these tensors: the kind follows from their names.

    Raises
    ------
    EvenhandError
        If no kind has these names, or the shapes do not fit.
    """
    names = set(tensors) - {"bias"}
    if names == {"weight"}:
        return LinearProjection(**tensors)
    if names == {"weight", *POOL}:
        return AttentionPoolProjection(**tensors)
    raise EvenhandError(
        f"no projection has the tensors {', '.join(sorted(tensors)) or 'none'}; "
        f"allowed are weight, bias or none, and all or none of {', '.join(POOL)}"
    )


def head_projection(head: Head) -> Projection:
    """Return the pretrained projection of a head, as a float32 copy."""
    # torch.tensor copies; from_numpy would train the head's own arrays.
    return projection_of(
        {name: torch.tensor(value, dtype=torch.float32) for name, value in head.arrays().items()}
    )
