"""What is learned: the projection and the logit scale, as one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from evenhand.backbones.projection import Projection
from evenhand.functional.geometry import cosine_logits


@dataclass(frozen=True)
class State:
    """A projection and log s [], in the coordinates of a `Problem`."""

    projection: Projection
    log_scale: Tensor

    def embed(self, h: Tensor) -> Tensor:
        """Return unit z [N, D_out] of features h [N, D_in]."""
        return self.projection.embed(h)

    def logits(self, h: Tensor, prototypes: Tensor) -> Tensor:
        """Return s · z_i · t_c, [N, C]."""
        return cosine_logits(self.embed(h), prototypes, self.log_scale.exp())

    def leaves(self) -> State:
        """Return a copy whose tensors are leaves that require a gradient."""
        return self._each(lambda tensor: tensor.detach().clone().requires_grad_())

    def frozen(self) -> State:
        """Return a copy without gradients."""
        return self._each(lambda tensor: tensor.detach().clone())

    def between(self, other: State, share: float) -> State:
        """Return (1 − share) · self + share · other, tensor by tensor."""
        theirs = other.projection.tensors()
        ours = self.projection.tensors()
        line = {name: torch.lerp(tensor, theirs[name], share) for name, tensor in ours.items()}
        return State(self.projection.with_tensors(line), torch.lerp(self.log_scale, other.log_scale, share))

    def parameters(self) -> list[Tensor]:
        """Return all tensors."""
        return [*self.projection.tensors().values(), self.log_scale]

    def _each(self, change: Callable[[Tensor], Tensor]) -> State:
        changed = {name: change(tensor) for name, tensor in self.projection.tensors().items()}
        return State(self.projection.with_tensors(changed), change(self.log_scale))
