"""The calibration set: anchors to recalibrate, and the rows of each class to pull them towards."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class CalibrationSet:
    """Rows by their part in calibration.

    Attributes
    ----------
    anchors : int64 Tensor [A]
        Rows to recalibrate; never empty.
    positives : tuple of C int64 Tensors
        P_c: rows of class c to pull anchors towards; never empty for a class that has rows.
    margins : float Tensor [N]
        Reference logit of the true class minus the largest other one.
    notes : tuple of str
        What the user should know of it, one sentence each.
    """

    anchors: Tensor
    positives: tuple[Tensor, ...]
    margins: Tensor
    notes: tuple[str, ...]


def margins(logits: Tensor, y: Tensor) -> Tensor:
    """Return logit of the true class minus the largest other logit, [N], from logits [N, C ≥ 2]."""
    true = logits.gather(1, y[:, None]).squeeze(1)
    others = logits.scatter(1, y[:, None], -torch.inf)
    return true - others.amax(dim=1)
