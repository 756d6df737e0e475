"""What a fitted method is: a projection and a linear head on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from evenhand._typing import Floats
from evenhand.backbones.projection import Projection
from evenhand.data.table import StoredRows
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.rows import FeatureRows
from evenhand.methods._training.state import State


@dataclass(frozen=True)
class Model:
    """logits = s · z_i · t_c + d_c with z the projection of raw features.

    Attributes
    ----------
    projection : Projection
        Of raw features, without gradients.
    prototypes : float32 [C, D_out]
        t_c; coefficients, not unit vectors, for a linear probe.
    intercept : float32 [C]
        d_c, zero for a cosine classifier.
    logit_scale : float
        s.
    """

    projection: Projection
    prototypes: Floats
    intercept: Floats
    logit_scale: float

    @classmethod
    def of_state(cls, problem: Problem, state: State) -> Model:
        """Return the model of a trained state, back in the coordinates of the raw features."""
        return cls(
            problem.coordinates.to_raw(state.projection),
            problem.prototypes.numpy(),
            np.zeros(problem.n_classes, dtype=np.float32),
            float(state.log_scale.exp()),
        )

    @classmethod
    def of_probe(cls, problem: Problem, coefficients: Floats, intercept: Floats) -> Model:
        """Return the model of a probe [C, D_out], [C] on the pretrained embeddings."""
        return replace(
            cls.of_state(problem, problem.start),
            prototypes=coefficients.astype(np.float32),
            intercept=intercept.astype(np.float32),
            logit_scale=1.0,
        )

    @property
    def width(self) -> int:
        """D_out."""
        return int(self.prototypes.shape[1])

    def embed(self, X: Floats | StoredRows) -> Floats:
        """Return unit z, float32 [N, D_out], of features X [N, D_in]."""
        return torch.cat([self._embed(h) for h in FeatureRows.of(X).blocks()]).numpy()

    def logits(self, X: Floats | StoredRows) -> Floats:
        """Return float32 [N, C] for features X [N, D_in]."""
        prototypes, intercept = torch.from_numpy(self.prototypes), torch.from_numpy(self.intercept)
        blocks = [
            self.logit_scale * (self._embed(h) @ prototypes.T) + intercept for h in FeatureRows.of(X).blocks()
        ]
        return torch.cat(blocks).numpy()

    def _embed(self, h: Tensor) -> Tensor:
        """Return unit z of a block; a row on its own goes as two, for products of one row round otherwise."""
        return self.projection.embed(h.expand(2, -1))[:1] if len(h) == 1 else self.projection.embed(h)
