"""The calibration set: anchors to recalibrate, and the positives of each class."""

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
    """The rows of calibration.

    Attributes
    ----------
    anchors : int64 Tensor [A]
        Numbers of the rows to recalibrate; never empty.
    positives : tuple of C int64 Tensors
        P_c, the numbers of the rows of class c that anchors are pulled to; not empty if the class has rows.
    margins : float Tensor [N]
        The reference's logit of the true class minus its largest other logit.
    notes : tuple of str
        Notes for the user, one sentence each.
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
        """Merge the calibration sets of parts of the rows, such as the folds.

        A row is an anchor if it is an anchor in any part. It is a positive if it is a positive in some part
        and an anchor in none. Its margin is the mean over the parts that hold it, or NaN if no part does.

        Parameters
        ----------
        parts : sequence of (int64 Tensor [N_k], CalibrationSet)
            Row numbers of each part, with the set that was chosen on it.
        n : int
            Number of all rows.

        Returns
        -------
        CalibrationSet
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
    """Return the logit of the true class minus the largest other logit, [N], from logits [N, C ≥ 2]."""
    true = logits.gather(1, y[:, None]).squeeze(1)
    others = logits.scatter(1, y[:, None], -torch.inf)
    return true - others.amax(dim=1)


class CalibrationRule(Protocol):
    """Chooses the calibration set from the logits of a reference model; any such callable will do."""

    def __call__(self, logits: Tensor, y: Tensor, /) -> CalibrationSet:
        """Return the calibration set for reference logits [N, C] and class codes y [N]."""


@dataclass(frozen=True)
class Misclassified:
    """Choose the rows that the reference misclassifies as anchors, as in the paper.

    Parameters
    ----------
    fallback : float, default=0.05
        Share of rows, above 0 and below 1. If the reference misclassifies no row, this share of the rows,
        those with the lowest margin, are the anchors.

    Raises
    ------
    EvenhandError
        If `fallback` is out of its range.

    Examples
    --------
    >>> import torch
    >>> logits, y = torch.tensor([[2.0, 0], [0, 2], [0, 1], [3, 0]]), torch.tensor([0, 1, 1, 1])
    >>> Misclassified()(logits, y).anchors.tolist()
    [3]
    """

    fallback: float = 0.05

    def __post_init__(self) -> None:
        check(self, fallback=INSIDE)

    def __call__(self, logits: Tensor, y: Tensor) -> CalibrationSet:
        """Return the calibration set for reference logits [N, C] and class codes y [N]."""
        wrong = logits.argmax(dim=1) != y
        if bool(wrong.any()):
            return _assemble(wrong, logits, y)
        lowest = torch.zeros(len(y), dtype=torch.bool)
        lowest[margins(logits, y).argsort(stable=True)[: max(1, round(self.fallback * len(y)))]] = True
        note = (
            f"the reference misclassifies no training row: the {int(lowest.sum())} rows of lowest margin "
            "are the anchors instead"
        )
        return _assemble(lowest, logits, y, note)


def _assemble(chosen: Tensor, logits: Tensor, y: Tensor, *notes: str) -> CalibrationSet:
    """Take the chosen rows [N] as anchors, and the other correctly classified rows of each class as P_c.

    A class without such a row has its row of the highest margin as its only positive.
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
            f"{len(bare)} of {logits.shape[1]} classes (codes {named}) have no row that the reference "
            "classifies correctly: the row of highest margin is the only positive there",
        )
    return CalibrationSet(chosen.nonzero().flatten(), tuple(positives), margin, notes)
