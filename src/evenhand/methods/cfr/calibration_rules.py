"""Which rows calibrate, given what a reference model makes of the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from evenhand._ranges import INSIDE, check
from evenhand.methods._draws.calibration_set import CalibrationSet, margins


class CalibrationRule(Protocol):
    """Chooses the calibration set from a reference model's logits."""

    def __call__(self, logits: Tensor, y: Tensor, generator: torch.Generator, /) -> CalibrationSet:
        """Choose from reference logits [N, C] and codes y [N]."""


@dataclass(frozen=True)
class Misclassified:
    """Anchors: the rows that the reference misclassifies (the paper's rule).

    Where it fits everything, the share `fallback` of rows of lowest margin stands in.

    Attributes
    ----------
    fallback : float
        Above 0 and below 1.
    """

    fallback: float = 0.05

    def __post_init__(self) -> None:
        check(self, fallback=INSIDE)

    def __call__(self, logits: Tensor, y: Tensor, _generator: torch.Generator) -> CalibrationSet:
        """Choose from reference logits [N, C] and codes y [N]."""
        wrong = logits.argmax(dim=1) != y
        if bool(wrong.any()):
            return _assemble(wrong, logits, y)
        lowest = _lowest(margins(logits, y), self.fallback)
        note = (
            f"the reference misclassifies no training row: the {int(lowest.sum())} rows of lowest margin "
            "calibrate in their place"
        )
        return _assemble(lowest, logits, y, note)


@dataclass(frozen=True)
class LowMargin:
    """Anchors: the share of rows of lowest margin, right or wrong.

    Attributes
    ----------
    share : float
        Above 0 and below 1; at least one row is taken.
    """

    share: float = 0.1

    def __post_init__(self) -> None:
        check(self, share=INSIDE)

    def __call__(self, logits: Tensor, y: Tensor, _generator: torch.Generator) -> CalibrationSet:
        """Choose from reference logits [N, C] and codes y [N]."""
        return _assemble(_lowest(margins(logits, y), self.share), logits, y)


@dataclass(frozen=True)
class Uniform:
    """Anchors: a share of rows drawn blindly. A control: what calibration does without a rule.

    Attributes
    ----------
    share : float
        Above 0 and below 1; at least one row is taken.
    """

    share: float = 0.1

    def __post_init__(self) -> None:
        check(self, share=INSIDE)

    def __call__(self, logits: Tensor, y: Tensor, generator: torch.Generator) -> CalibrationSet:
        """Choose from reference logits [N, C] and codes y [N]."""
        chosen = torch.zeros(len(y), dtype=torch.bool)
        chosen[torch.randperm(len(y), generator=generator)[: _count(self.share, len(y))]] = True
        return _assemble(chosen, logits, y)


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


def _lowest(margin: Tensor, share: float) -> Tensor:
    chosen = torch.zeros(len(margin), dtype=torch.bool)
    chosen[margin.argsort(stable=True)[: _count(share, len(margin))]] = True
    return chosen


def _count(share: float, n: int) -> int:
    return max(1, round(share * n))
