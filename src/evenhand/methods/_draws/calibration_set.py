"""The calibration set: anchors to recalibrate, and the rows of each class to pull them towards."""

from __future__ import annotations

from collections.abc import Sequence
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

    @staticmethod
    def merge(parts: Sequence[tuple[Tensor, CalibrationSet]], n: int) -> CalibrationSet:
        """Return the set over all n rows of sets that were chosen on some of them, by row numbers [N_k].

        A row is an anchor if it is one in any part, a positive if it is one in some part and an anchor in
        none; its margin is the mean over the parts that hold it, and NaN where none does.
        """
        anchor = torch.zeros(n, dtype=torch.bool)
        total, count = torch.zeros(n), torch.zeros(n)
        for rows, part in parts:
            anchor[rows[part.anchors]] = True
            total[rows] += part.margins
            count[rows] += 1
        positives = []
        for code in range(len(parts[0][1].positives)):
            positive = torch.zeros(n, dtype=torch.bool)
            for rows, part in parts:
                positive[rows[part.positives[code]]] = True
            positives.append((positive & ~anchor).nonzero().flatten())
        notes = dict.fromkeys(note for _, part in parts for note in part.notes)
        return CalibrationSet(anchor.nonzero().flatten(), tuple(positives), total / count, tuple(notes))


def margins(logits: Tensor, y: Tensor) -> Tensor:
    """Return logit of the true class minus the largest other logit, [N], from logits [N, C ≥ 2]."""
    true = logits.gather(1, y[:, None]).squeeze(1)
    others = logits.scatter(1, y[:, None], -torch.inf)
    return true - others.amax(dim=1)
