"""The trained state: projection and logit scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evenhand._typing import Ints
from evenhand.backbones.projection import Projection
from evenhand.functional.geometry import cosine_logits
from evenhand.methods._training.rows import RowView


@dataclass(frozen=True)
class State:
    """A projection, and log s as a Tensor [], in the coordinates of a `Problem`.

    The projection is on the device of the problem's features, and its products are computed there. Embeddings
    come back to the CPU, which does the small work: losses, draws and choices.
    """

    projection: Projection
    log_scale: Tensor

    def embed(self, h: Tensor) -> Tensor:
        """Return unit z [N, D_out] of features h [N, D_in]."""
        return self.projection.embed(h).cpu()

    def logits(self, h: Tensor, prototypes: Tensor) -> Tensor:
        """Return s · z_i · t_c, [N, C]."""
        return cosine_logits(self.embed(h), prototypes, self.log_scale.exp())

    @torch.no_grad()
    def embed_all(self, rows: RowView) -> Tensor:
        """Return unit z [N, D_out] of all rows, block by block."""
        return torch.cat([self.embed(h) for h in rows.blocks()])

    def logits_of_all(self, rows: RowView, prototypes: Tensor) -> Tensor:
        """Return s · z_i · t_c of all rows, [N, C], block by block."""
        return torch.cat(list(self._logits_by_block(rows, prototypes)))

    def codes(self, rows: RowView, prototypes: Tensor) -> Ints:
        """Return predicted class codes [N] of all rows, in the smallest integer type that holds them."""
        kind = np.int16 if len(prototypes) < 2**15 else np.int32
        blocks = self._logits_by_block(rows, prototypes)
        return np.concatenate([logits.argmax(dim=1).numpy().astype(kind) for logits in blocks])

    def _logits_by_block(self, rows: RowView, prototypes: Tensor) -> Iterator[Tensor]:
        for h in rows.blocks():
            with torch.no_grad():
                yield self.logits(h, prototypes)

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
        mixed = {name: torch.lerp(tensor, theirs[name], share) for name, tensor in ours.items()}
        return State(self.projection.with_tensors(mixed), torch.lerp(self.log_scale, other.log_scale, share))

    def parameters(self) -> list[Tensor]:
        """Return all tensors."""
        return [*self.projection.tensors().values(), self.log_scale]

    def _each(self, change: Callable[[Tensor], Tensor]) -> State:
        changed = {name: change(tensor) for name, tensor in self.projection.tensors().items()}
        return State(self.projection.with_tensors(changed), change(self.log_scale))
