"""The map from trunk features to the space shared with text: what calibration trains."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from typing_extensions import Self

from evenhand._errors import EvenhandError
from evenhand.data.head import POOL, Head, projected_width
from evenhand.functional.attention import attention_pool
from evenhand.functional.geometry import centered_bias, mean_row, project

ROWS = 512
"""Maps pooled at a time: the pool makes several copies of them."""


@dataclass(frozen=True)
class Projection(ABC):
    """z = unit(pool(h) W + b): trunk features in, unit vectors out.

    It is immutable: training makes new ones by `with_tensors`. Only `backbones.sites` knows where it is in a
    model, and how it is written back.

    Attributes
    ----------
    weight : Tensor [D, D_out]
        W.
    bias : Tensor [D_out] or None
        b, None if the site has none.
    """

    weight: Tensor
    bias: Tensor | None = None

    @property
    @abstractmethod
    def width(self) -> int:
        """D_in: columns of the features that it takes."""

    @abstractmethod
    def pool(self, h: Tensor) -> Tensor:
        """Return the input of W, [N, D], for features h [N, D_in]."""

    def embed(self, h: Tensor) -> Tensor:
        """Return unit z [N, D_out] of features h [N, D_in]."""
        return project(self.pool(h), self.weight, self.bias)

    def centered(self, blocks: Iterable[Tensor]) -> Self:
        """Return the same with the bias that centers the projected rows of blocks [n_k, D_in]."""
        mean = mean_row(self.pool(h) for h in blocks)
        return replace(self, bias=centered_bias(mean[None], self.weight))

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors to save, by name; those of an inner projection as `field.name`."""
        named: dict[str, Tensor] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Projection):
                named |= {f"{field.name}.{name}": tensor for name, tensor in value.tensors().items()}
            elif value is not None:
                named[field.name] = value
        return named

    def to(self, device: torch.device | str) -> Self:
        """Return the same projection on a device."""
        return self.with_tensors({name: tensor.to(device) for name, tensor in self.tensors().items()})

    def with_tensors(self, tensors: Mapping[str, Tensor]) -> Self:
        """Return the same kind with other tensors."""
        own, inside = _by_owner(tensors)
        return replace(
            self, **own, **{name: getattr(self, name).with_tensors(part) for name, part in inside.items()}
        )


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

    @property
    def width(self) -> int:
        """D_in: rows of W."""
        return len(self.weight)

    def pool(self, h: Tensor) -> Tensor:
        """Return h itself."""
        return h


@dataclass(frozen=True, kw_only=True)
class AttentionPoolProjection(Projection):
    """z = unit(attention_pool(h) W + b): a ResNet's whole attention pool, on flattened maps.

    Attributes
    ----------
    positional_embedding, query_weight, query_bias, key_weight, value_weight, value_bias : Tensor
        As in `functional.attention`; their shapes tell channels, places and heads.

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
                    f"{name} of the attention pool has shape {tuple(tensor.shape)} but the other tensors "
                    "need "
                    f"{wanted[name]}; give the tensors of one pool, biases [heads, d]"
                )

    @property
    def width(self) -> int:
        """D_in: channels times places."""
        return projected_width(self.tensors())

    def pool(self, h: Tensor) -> Tensor:
        """Return the outputs of the attention heads for flattened maps."""
        own = [getattr(self, name) for name in POOL]
        return torch.cat([attention_pool(rows, *own) for rows in torch.split(h, ROWS)])


@dataclass(frozen=True, kw_only=True)
class AdapterProjection(Projection):
    """z = unit(relu(z0 V + c) W + b) with z0 the vectors of another projection: an adapter.

    A batch norm of the hidden units at its running statistics is part of V and c.

    Attributes
    ----------
    base : Projection
        Projection that gives z0 [N, D].
    down_weight : Tensor [D, H]
        V.
    down_bias : Tensor [H]
        c.

    Raises
    ------
    EvenhandError
        If the shapes do not fit.
    """

    base: Projection
    down_weight: Tensor
    down_bias: Tensor

    def __post_init__(self) -> None:
        hidden, out = tuple(self.down_bias.shape), self.weight.shape[-1]
        wanted = {
            "down_weight": (self.base.weight.shape[-1], *hidden),
            "weight": (*hidden, out),
            "bias": (out,),
        }
        for name, shape in wanted.items():
            found = getattr(self, name)
            if found is None or tuple(found.shape) != shape:
                came = None if found is None else tuple(found.shape)
                raise EvenhandError(
                    f"{name} of the adapter has shape {came} but the other tensors need {shape}; "
                    "give the tensors of one adapter"
                )

    @property
    def width(self) -> int:
        """D_in of the projection that it adapts."""
        return self.base.width

    def pool(self, h: Tensor) -> Tensor:
        """Return the hidden units [N, H]."""
        return torch.relu(torch.addmm(self.down_bias, self.base.embed(h), self.down_weight))


def projection_of(tensors: Mapping[str, Tensor]) -> Projection:
    """Return the projection that has these tensors: the kind follows from their names.

    Raises
    ------
    EvenhandError
        If no kind has these names, or the shapes do not fit.
    """
    own, inside = _by_owner(tensors)
    names = {*own, *inside} - {"bias"}
    if names == {"weight"}:
        return LinearProjection(**own)
    if names == {"weight", *POOL}:
        return AttentionPoolProjection(**own)
    if names == {"weight", "down_weight", "down_bias", "base"} and "base" in inside:
        return AdapterProjection(**own, base=projection_of(inside["base"]))
    raise EvenhandError(
        f"no projection has the tensors {', '.join(sorted(tensors)) or 'none'}; "
        f"the allowed values are weight, bias or none, and all or none of {', '.join(POOL)}, "
        "or of down_weight, down_bias and those of a projection after 'base.'"
    )


def _by_owner(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """Return a projection's own tensors, and those of the projections inside it by field."""
    own: dict[str, Tensor] = {}
    inside: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        field, dot, rest = name.partition(".")
        if dot:
            inside.setdefault(field, {})[rest] = tensor
        else:
            own[name] = tensor
    return own, inside


def head_projection(head: Head) -> Projection:
    """Return the pretrained projection of a head, as a float32 copy."""
    # torch.tensor copies; from_numpy would train the head's own arrays.
    return projection_of(
        {name: torch.tensor(value, dtype=torch.float32) for name, value in head.arrays().items()}
    )
