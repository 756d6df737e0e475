"""The calibration set: anchors to recalibrate, and the rows of each class to pull them towards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from evenhand._ranges import INSIDE, check
from evenhand._typing import Floats


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

    def columns(self) -> dict[str, Floats]:
        """Return the figures of the anchors by name, each [A]."""
        return {"margin": self.margins[self.anchors].numpy()}

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


class CalibrationRule(Protocol):
    """Chooses the calibration set from a reference model's logits."""

    def __call__(self, logits: Tensor, y: Tensor, /) -> CalibrationSet:
        """Choose from reference logits [N, C] and codes y [N]."""


@dataclass(frozen=True)
class Misclassified:
    """Anchors: the rows that the reference misclassifies (the paper's rule).

    Attributes
    ----------
    fallback : float, default=0.05
        Share of the rows that calibrate where the reference misclassifies none: those of lowest margin. Above
        0 and below 1.
    """

    fallback: float = 0.05

    def __post_init__(self) -> None:
        check(self, fallback=INSIDE)

    def __call__(self, logits: Tensor, y: Tensor) -> CalibrationSet:
        """Choose from reference logits [N, C] and codes y [N]."""
        wrong = logits.argmax(dim=1) != y
        if bool(wrong.any()):
            return _assemble(wrong, logits, y)
        lowest = torch.zeros(len(y), dtype=torch.bool)
        lowest[margins(logits, y).argsort(stable=True)[: max(1, round(self.fallback * len(y)))]] = True
        note = (
            f"the reference misclassifies no training row: the {int(lowest.sum())} rows of lowest margin "
            "calibrate in their place"
        )
        return _assemble(lowest, logits, y, note)


def _assemble(chosen: Tensor, logits: Tensor, y: Tensor, *notes: str) -> CalibrationSet:
    """Take the chosen rows [N] as anchors; P_c are the class's rows that are right and not chosen.

    A class without such a row keeps its row of highest margin as its only positive.
    """
    margin = margins(logits, y)
    eligible = (logits.argmax(dim=1) == y) & ~chosen
    positives = []
    bare = []
    for code in range(logits.shape[1]):
        rows = ((y == code) & eligible).nonzero().flatten()
        of_class = (y == code).nonzero().flatten()
        if len(of_class) and not len(rows):
            rows = of_class[margin[of_class].argmax()].reshape(1)
            bare.append(code)
        positives.append(rows)
    if bare:
        named = ", ".join(map(str, bare[:5])) + (", …" if len(bare) > 5 else "")
        notes = (
            *notes,
            f"{len(bare)} of {logits.shape[1]} classes (codes {named}) have no row that the reference has "
            "right: the row of highest margin is the only positive there",
        )
    return CalibrationSet(chosen.nonzero().flatten(), tuple(positives), margin, notes)
