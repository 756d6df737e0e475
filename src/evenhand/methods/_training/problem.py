"""A validated fitting problem, in coordinates where a learning rate means the same for every backbone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from evenhand._typing import Floats, Ints
from evenhand.backbones.projection import LinearProjection, Projection, head_projection
from evenhand.data.head import Head
from evenhand.data.table import StoredRows
from evenhand.functional.geometry import class_sums, unit
from evenhand.methods._training.coordinates import Coordinates
from evenhand.methods._training.rows import RowView
from evenhand.methods._training.trained_state import State


@dataclass(frozen=True)
class Problem:
    """Training and validation rows with the state to start from.

    Attributes
    ----------
    h, y : RowView [N, D_in], int64 Tensor [N]
        Training rows, scaled by `coordinates` when they are read, and their class codes.
    h_val, y_val : RowView [M, D_in], int64 Tensor [M]
        Validation rows and their class codes; M may be 0.
    prototypes : float32 Tensor [C, D_out]
        Text prototypes, or centered class centroids if there is no text.
    start : State
        The pretrained projection, in `coordinates`, and s0.
    coordinates : Coordinates
        Scales of features and projection.
    seed : int
        Random seed of the fit.
    groups, groups_val : int64 [N], int64 [M], or None
        Group codes, -1 where unknown; only for methods that declare that they use them.
    has_text : bool
        Whether the prototypes are text.
    units : int64 [N] or None
        Training rows with the same number are held out together, or not at all.
    """

    h: RowView
    y: Tensor
    h_val: RowView
    y_val: Tensor
    prototypes: Tensor
    start: State
    coordinates: Coordinates
    seed: int
    groups: Ints | None = None
    groups_val: Ints | None = None
    has_text: bool = True
    units: Ints | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes C."""
        return len(self.prototypes)


def build_problem(
    X: Floats | StoredRows,
    y: Ints,
    X_val: Floats | StoredRows,
    y_val: Ints,
    n_classes: int,
    head: Head | None,
    seed: int,
    device: str = "cpu",
) -> Problem:
    """Build the problem for training rows X [N, D_in] and validation rows X_val [M, D_in] on a device."""
    rows, codes = RowView.of(X, device), torch.from_numpy(y)
    projection = LinearProjection(torch.eye(X.shape[1])) if head is None else head_projection(head)
    projection = projection.to(device)
    text = None if head is None or head.text is None else torch.as_tensor(head.text, dtype=torch.float32)
    has_text = text is not None
    if text is None:
        projection = projection.centered(rows.blocks())
        text = _centroids(projection, rows, codes, n_classes)
    coordinates = Coordinates.of(projection, rows)
    scale = 1 / 0.07 if head is None else head.logit_scale
    return Problem(
        coordinates.scaled(rows),
        codes,
        coordinates.scaled(RowView.of(X_val, device)),
        torch.from_numpy(y_val),
        text,
        State(coordinates.to_unit(projection), torch.tensor(scale).log()),
        coordinates,
        seed,
        has_text=has_text,
    )


def _centroids(projection: Projection, rows: RowView, y: Tensor, n_classes: int) -> Tensor:
    """Return `class_centroids` of the projected rows, block by block."""
    sums = torch.zeros(n_classes, projection.weight.shape[1])
    done = 0
    for h in rows.blocks():
        sums += class_sums(projection.embed(h).cpu(), y[done : done + len(h)], n_classes)
        done += len(h)
    return unit(sums)
