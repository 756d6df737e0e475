"""The model of a fitted method: a projection with a linear head."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from evenhand._typing import Floats
from evenhand.backbones.projection import Projection
from evenhand.data.table import StoredRows
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.rows import RowView
from evenhand.methods._training.trained_state import State


@dataclass(frozen=True)
class Model:
    """A fitted classifier with logits s · z_i · t_c + d_c.

    Attributes
    ----------
    projection : Projection
        Map from raw features to unit embeddings z.
    prototypes : float32 [C, D_out]
        t_c: unit vectors, or the coefficients of a linear probe.
    intercept : float32 [C]
        d_c, zero for a cosine classifier.
    logit_scale : float
        s, 1 for a linear probe.
    """

    projection: Projection
    prototypes: Floats
    intercept: Floats
    logit_scale: float

    @classmethod
    def of_state(cls, problem: Problem, state: State) -> Model:
        """Return the model of a trained state, in the coordinates of raw features."""
        return cls(
            problem.coordinates.to_raw(state.projection),
            problem.prototypes.numpy(),
            np.zeros(problem.n_classes, dtype=np.float32),
            float(state.log_scale.exp()),
        )

    @classmethod
    def of_probe(cls, problem: Problem, coefficients: Floats, intercept: Floats) -> Model:
        """Return the model of a linear probe on the pretrained embeddings.

        Parameters
        ----------
        problem : Problem
            The problem with the pretrained projection.
        coefficients : float [C, D_out]
            Coefficients of the probe.
        intercept : float [C]
            Intercepts of the probe.
        """
        return replace(
            cls.of_state(problem, problem.start),
            prototypes=coefficients.astype(np.float32),
            intercept=intercept.astype(np.float32),
            logit_scale=1.0,
        )

    @property
    def width(self) -> int:
        """Width D_out of the embeddings."""
        return int(self.prototypes.shape[1])

    def to(self, device: str) -> Model:
        """Return the same model for rows on a device; its results are on the CPU."""
        return replace(self, projection=self.projection.to(device))

    def embed(self, X: Floats | StoredRows | RowView) -> Floats:
        """Return unit embeddings z, float32 [N, D_out], of features X [N, D_in]."""
        return torch.cat([self._embed(h).cpu() for h in RowView.of(X).blocks()]).numpy()

    def logits(self, X: Floats | StoredRows | RowView) -> Floats:
        """Return logits, float32 [N, C], of features X [N, D_in]."""
        blocks = [self.logits_of(self._embed(h)).cpu() for h in RowView.of(X).blocks()]
        return torch.cat(blocks).numpy()

    def logits_of(self, z: Tensor) -> Tensor:
        """Return [N, C] for unit embeddings z [N, D_out], with gradients of z."""
        own = (self.prototypes, self.intercept)
        prototypes, intercept = (torch.from_numpy(values).to(z.device) for values in own)
        return self.logit_scale * (z @ prototypes.T) + intercept

    def _embed(self, h: Tensor) -> Tensor:
        """Return unit z of a block; a single row is doubled, since products of one row round differently."""
        return self.projection.embed(h.expand(2, -1))[:1] if len(h) == 1 else self.projection.embed(h)
