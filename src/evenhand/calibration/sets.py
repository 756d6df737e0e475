"""Which rows calibrate: anchors that a reference model misclassifies, positives that it has right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import torch
from torch import Tensor

Reference: TypeAlias = Literal["shortcut", "zero_shot", "erm"]


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


class CalibrationRule(Protocol):
    """Chooses the calibration set from a reference model's logits."""

    @property
    def reference(self) -> Reference:
        """Whose errors count."""

    def __call__(self, logits: Tensor, y: Tensor) -> CalibrationSet:
        """Choose from logits [N, C] and codes [N]."""


@dataclass(frozen=True)
class Misclassified:
    """Anchors: the rows that the reference misclassifies. Positives: the class's other rows.

    Where the reference fits everything, the share `fallback` of rows of lowest margin stands in;
    where it has no row of a class right, the class's row of highest margin does.

    Attributes
    ----------
    reference : "shortcut", "erm" or "zero_shot"
        Whose errors count.
    fallback : float
        Share of rows, above 0 and below 1.
    """

    reference: Reference = "erm"
    fallback: float = 0.05

    def __call__(self, logits: Tensor, y: Tensor) -> CalibrationSet:
        """Choose from logits [N, C] and codes [N]."""
        margin = margins(logits, y)
        notes: list[str] = []
        wrong = logits.argmax(dim=1) != y
        if not bool(wrong.any()):
            count = max(1, round(self.fallback * len(y)))
            wrong[margin.argsort(stable=True)[:count]] = True
            notes.append(
                f"the {self.reference} reference misclassifies no training row: "
                f"the {count} rows of lowest margin calibrate in their place"
            )
        positives = []
        for code in range(logits.shape[1]):
            of_class = (y == code).nonzero().flatten()
            right = of_class[~wrong[of_class]]
            if len(of_class) and not len(right):
                right = of_class[margin[of_class].argmax()].reshape(1)
                notes.append(
                    f"the {self.reference} reference has no row of class {code} right: "
                    "its row of highest margin is the class's only positive"
                )
            positives.append(right)
        return CalibrationSet(wrong.nonzero().flatten(), tuple(positives), margin, tuple(notes))


def margins(logits: Tensor, y: Tensor) -> Tensor:
    """Return logit of the true class minus the largest other logit, [N], from logits [N, C ≥ 2]."""
    true = logits.gather(1, y[:, None]).squeeze(1)
    others = logits.scatter(1, y[:, None], -torch.inf)
    return true - others.amax(dim=1)
