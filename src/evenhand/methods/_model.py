"""What a fitted method is: a projection and a linear head on it, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from evenhand._typing import Floats
from evenhand.functional.geometry import project
from evenhand.methods._problem import Problem
from evenhand.methods._state import State

BLOCK = 65_536
"""Rows projected at a time, so that memory stays flat however many come."""


@dataclass(frozen=True)
class Model:
    """logits = s · z_i · t_c + d_c with z = unit(h W + b).

    Attributes
    ----------
    weight : float32 [D_in, D_out]
        W.
    bias : float32 [D_out] or None
        b.
    prototypes : float32 [C, D_out]
        t_c; coefficients, not unit vectors, for a linear probe.
    intercept : float32 [C]
        d_c, zero for a cosine classifier.
    logit_scale : float
        s.
    """

    weight: Floats
    bias: Floats | None
    prototypes: Floats
    intercept: Floats
    logit_scale: float

    @classmethod
    def of_state(cls, problem: Problem, state: State) -> Model:
        """Return the model of a trained state, back in the coordinates of the raw features."""
        bias = None if state.bias is None else (state.bias * problem.output_norm).numpy()
        return cls(
            (state.weight * (problem.output_norm / problem.input_norm)).numpy(),
            bias,
            problem.prototypes.numpy(),
            np.zeros(problem.n_classes, dtype=np.float32),
            float(state.log_scale.exp()),
        )

    def embed(self, X: Floats) -> Floats:
        """Return unit z, float32 [N, D_out], of features X [N, D_in]."""
        weight = torch.from_numpy(self.weight)
        bias = None if self.bias is None else torch.from_numpy(self.bias)
        blocks = torch.split(torch.from_numpy(X), BLOCK)
        return torch.cat([project(block, weight, bias) for block in blocks]).numpy()

    def logits(self, X: Floats) -> Floats:
        """Return float32 [N, C] for features X [N, D_in]."""
        logits: Floats = self.logit_scale * (self.embed(X) @ self.prototypes.T) + self.intercept
        return logits
