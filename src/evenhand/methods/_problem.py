"""One validated fitting problem, in coordinates where a step means the same for every backbone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evenhand._typing import Floats, Ints
from evenhand.data.head import Head
from evenhand.functional.geometry import centred_bias, class_centroids, project
from evenhand.methods._state import State


@dataclass(frozen=True)
class Problem:
    """Training and validation rows with the state to start from.

    Features are divided by their root-mean-square norm, and W and b are scaled so that the projected
    rows have root-mean-square norm 1. Unit vectors z stay what they are, and gradients with respect to
    W no longer depend on the scale of the trunk's output.

    Attributes
    ----------
    h, y : float32 Tensor [N, D_in], int64 Tensor [N]
        Training rows.
    h_val, y_val : float32 Tensor [M, D_in], int64 Tensor [M]
        Validation rows of the training distribution; M may be 0.
    prototypes : float32 Tensor [C, D_out]
        Text prototypes, or centred class centroids where there is no text.
    start : State
        W0, b0, s0.
    input_norm, output_norm : float
        What features and outputs were divided by.
    seed : int
        Root of the random streams.
    groups, groups_val : int64 [N], int64 [M], or None
        Group codes, -1 where unknown; only for methods that declare that they use them.
    """

    h: Tensor
    y: Tensor
    h_val: Tensor
    y_val: Tensor
    prototypes: Tensor
    start: State
    input_norm: float
    output_norm: float
    seed: int
    groups: Ints | None = None
    groups_val: Ints | None = None

    @property
    def n_classes(self) -> int:
        """C."""
        return len(self.prototypes)


def pose(
    X: Floats, y: Ints, X_val: Floats, y_val: Ints, n_classes: int, head: Head | None, seed: int
) -> Problem:
    """Build the problem for training rows X [N, D_in] and validation rows X_val [M, D_in]."""
    h, codes = torch.from_numpy(X), torch.from_numpy(y)
    weight = torch.eye(h.shape[1]) if head is None else torch.as_tensor(head.weight, dtype=torch.float32)
    bias = None if head is None or head.bias is None else torch.as_tensor(head.bias, dtype=torch.float32)
    text = None if head is None or head.text is None else torch.as_tensor(head.text, dtype=torch.float32)
    if text is None:
        bias = centred_bias(h, weight)
        text = class_centroids(project(h, weight, bias), codes, n_classes)
    input_norm = _root_mean_square(h)
    output_norm = _root_mean_square(h @ weight if bias is None else torch.addmm(bias, h, weight))
    scale = 1 / 0.07 if head is None else head.logit_scale
    start = State(
        weight * (input_norm / output_norm),
        None if bias is None else bias / output_norm,
        torch.tensor(scale).log(),
    )
    return Problem(
        h / input_norm,
        codes,
        torch.from_numpy(X_val) / input_norm,
        torch.from_numpy(y_val),
        text,
        start,
        input_norm,
        output_norm,
        seed,
    )


def _root_mean_square(rows: Tensor) -> float:
    value = float(rows.square().sum(dim=1).mean().sqrt())
    return value if value > 0 else 1.0
