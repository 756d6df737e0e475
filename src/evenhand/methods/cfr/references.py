"""Reference models, whose errors on the training rows choose the calibration set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import torch
from torch import Tensor

from evenhand._errors import NotAllowedError
from evenhand._ranges import FOLDS, check
from evenhand.methods._training.folds import stratified_folds
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.rows import RowView
from evenhand.methods._training.trained_state import State
from evenhand.methods.cfr.shortcut_probe import ShortcutProbe


@dataclass(frozen=True)
class Known:
    """What is already fitted when a reference is called.

    Attributes
    ----------
    erm : State
        The model of stage 1.
    probe : ShortcutProbe or None
        None if the prototypes span the whole space.
    train_erm : callable
        Trains stage 1 on another problem.
    """

    erm: State
    probe: ShortcutProbe | None
    train_erm: Callable[[Problem], State]


class Reference(Protocol):
    """Returns logits of the training rows; any such callable will do."""

    def __call__(self, problem: Problem, known: Known, /) -> Tensor:
        """Return logits [N, C] of the training rows."""


@dataclass(frozen=True)
class ZeroShotReference:
    """The pretrained model as the reference."""

    def __call__(self, problem: Problem, _known: Known) -> Tensor:
        """Return logits [N, C] of the training rows."""
        return _logits(problem.start, problem)


@dataclass(frozen=True)
class ErmReference:
    """ERM as the reference, on the rows that it was trained on; this is the paper's reference."""

    def __call__(self, problem: Problem, known: Known) -> Tensor:
        """Return logits [N, C] of the training rows."""
        return _logits(known.erm, problem)


@dataclass(frozen=True)
class CrossFittedErm:
    """ERM as the reference, on rows that it was not trained on.

    It has errors even if ERM classifies every training row correctly.

    Parameters
    ----------
    folds : int, default=5
        Number of folds, at least 2. ERM is trained once per fold, on the other folds.

    Raises
    ------
    EvenhandError
        If `folds` is below 2.
    """

    folds: int = 5

    def __post_init__(self) -> None:
        check(self, folds=FOLDS)

    def __call__(self, problem: Problem, known: Known) -> Tensor:
        """Return logits [N, C]; a class's only row has its logits from the model of all rows."""
        logits = _logits(known.erm, problem)
        for fold in stratified_folds(problem.y, self.folds, problem.seed, problem.units):
            part = fold.of(problem)
            logits[fold.held] = known.train_erm(part).logits_of_all(part.h_val, problem.prototypes)
        return logits


@dataclass(frozen=True)
class ShortcutReference:
    """The shortcut probe as the reference, or ERM if there is no probe.

    Its errors are richer in minority rows than those of ERM.
    """

    def __call__(self, problem: Problem, known: Known) -> Tensor:
        """Return logits [N, C] of the training rows."""
        if known.probe is None:
            return _logits(known.erm, problem)
        return probe_logits(known.probe, problem.start, problem.h)


ReferenceName: TypeAlias = Literal["shortcut_probe", "zero_shot", "erm", "cross_fitted_erm"]
REFERENCES: Mapping[str, Reference] = {
    "shortcut_probe": ShortcutReference(),
    "zero_shot": ZeroShotReference(),
    "erm": ErmReference(),
    "cross_fitted_erm": CrossFittedErm(),
}
"""References by name."""


def find_reference(reference: Reference | str) -> Reference:
    """Return the reference of that name, or the object itself.

    Raises
    ------
    EvenhandError
        If no reference has that name.
    """
    if not isinstance(reference, str):
        return reference
    if reference not in REFERENCES:
        raise NotAllowedError.of("reference", reference, REFERENCES)
    return REFERENCES[reference]


@torch.no_grad()
def probe_logits(probe: ShortcutProbe, start: State, rows: RowView) -> Tensor:
    """Return the probe's logits [N, C] of all rows, block by block."""
    return torch.cat([probe.logits(start.embed(h)) for h in rows.blocks()])


def _logits(state: State, problem: Problem) -> Tensor:
    return state.logits_of_all(problem.h, problem.prototypes)
