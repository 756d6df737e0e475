"""What is learned: the projection and the logit scale, as one value."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evenhand.functional.geometry import cosine_logits, project


@dataclass(frozen=True)
class State:
    """W [D_in, D_out], b [D_out] or None, log s [] in the unit coordinates of a `Problem`."""

    weight: Tensor
    bias: Tensor | None
    log_scale: Tensor

    def embed(self, h: Tensor) -> Tensor:
        """Return unit z [N, D_out] of features h [N, D_in]."""
        return project(h, self.weight, self.bias)

    def logits(self, h: Tensor, prototypes: Tensor) -> Tensor:
        """Return s · z_i · t_c, [N, C]."""
        return cosine_logits(self.embed(h), prototypes, self.log_scale.exp())

    def leaves(self) -> State:
        """Return a copy whose tensors are leaves that require a gradient."""
        return State(*(None if t is None else t.detach().clone().requires_grad_() for t in self.tensors()))  # type: ignore[arg-type]

    def frozen(self) -> State:
        """Return a copy without gradients."""
        return State(*(None if t is None else t.detach().clone() for t in self.tensors()))  # type: ignore[arg-type]

    def between(self, other: State, share: float) -> State:
        """Return (1 − share) · self + share · other, tensor by tensor."""
        return State(
            *(
                None if a is None or b is None else torch.lerp(a, b, share)
                for a, b in zip(self.tensors(), other.tensors(), strict=True)
            )  # type: ignore[arg-type]
        )

    def tensors(self) -> tuple[Tensor, Tensor | None, Tensor]:
        """Return weight, bias, log scale."""
        return self.weight, self.bias, self.log_scale

    def parameters(self) -> list[Tensor]:
        """Return the tensors that exist."""
        return [t for t in self.tensors() if t is not None]
