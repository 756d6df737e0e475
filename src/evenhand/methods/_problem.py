"""One validated fitting problem, in coordinates where a step means the same for every backbone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evenhand._typing import Floats, Ints
from evenhand.backbones.projection import LinearProjection, head_projection
from evenhand.data.head import Head
from evenhand.functional.geometry import class_centroids
from evenhand.methods._coordinates import Coordinates
from evenhand.methods._state import State


@dataclass(frozen=True)
class Problem:
    """Training and validation rows with the state to start from.

    Attributes
    ----------
    h, y : float32 Tensor [N, D_in], int64 Tensor [N]
        Training rows, scaled by `coordinates`.
    h_val, y_val : float32 Tensor [M, D_in], int64 Tensor [M]
        Validation rows of the training distribution; M may be 0.
    prototypes : float32 Tensor [C, D_out]
        Text prototypes, or centred class centroids where there is no text.
    start : State
        The pretrained projection, in `coordinates`, and s0.
    coordinates : Coordinates
        What features and projection were scaled by.
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
    coordinates: Coordinates
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
    projection = LinearProjection(torch.eye(h.shape[1])) if head is None else head_projection(head)
    text = None if head is None or head.text is None else torch.as_tensor(head.text, dtype=torch.float32)
    if text is None:
        projection = projection.centred(h)
        text = class_centroids(projection.embed(h), codes, n_classes)
    coordinates = Coordinates.of(projection, h)
    scale = 1 / 0.07 if head is None else head.logit_scale
    return Problem(
        coordinates.scaled(h),
        codes,
        coordinates.scaled(torch.from_numpy(X_val)),
        torch.from_numpy(y_val),
        text,
        State(coordinates.to_unit(projection), torch.tensor(scale).log()),
        coordinates,
        seed,
    )
