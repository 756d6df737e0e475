"""A fitted head as a projection, so that it exports, predicts and reports like any run."""

from __future__ import annotations

import numpy as np
import torch

from evenhand._typing import Floats
from evenhand.functional.row_products import RowSource
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.trained_state import State

ROWS = 8192
"""Most rows that the logit scale is computed from."""


def as_state(problem: Problem, m: Floats, z: RowSource) -> State:
    """Return the start with W0 M and b0 M in place of W0 and b0.

    M acts on the output of the projection. So it is the same in all coordinates, and it also works after an
    attention pool. Its logits are s · unit(z M) · t_c with s the root mean square of ‖z M‖: on average the
    scale at which the head was fitted.

    Parameters
    ----------
    problem : Problem
        Its start is the pretrained state.
    m : float [D, D]
        M.
    z : RowSource
        Unit embeddings of training rows.
    """
    projection = problem.start.projection.to("cpu")
    matrix = torch.from_numpy(m).float()
    tensors = {"weight": projection.weight @ matrix}
    if projection.bias is not None:
        tensors["bias"] = projection.bias @ matrix
    shown = z[:: max(1, z.shape[0] // ROWS)].astype(np.float64) @ m
    scale = max(float(np.sqrt((shown**2).sum(axis=1).mean())), 1e-6)
    return State(projection.with_tensors({**projection.tensors(), **tensors}), torch.tensor(scale).log())
