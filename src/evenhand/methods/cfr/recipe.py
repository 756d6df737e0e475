"""What calibration minimizes and how: terms, draws, optimizer; and the recipes that have a name."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from evenhand._errors import EvenhandError
from evenhand._ranges import BELOW_ONE, SHARE, check
from evenhand.backbones.projection import LinearProjection
from evenhand.methods._draws.negatives import NearestNegatives, NegativeRule, RandomNegatives
from evenhand.methods._draws.positives import Centroid, DrawnRows, PositiveRule
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.problem import Problem
from evenhand.methods.cfr.loss_terms import (
    AnchorCrossEntropy,
    BatchCrossEntropy,
    Calibration,
    Similarity,
    TargetedContrast,
    Term,
)


@dataclass(frozen=True)
class Recipe:
    """The terms of the calibration loss and how it is minimized.

    total = Σ_t weight_t · L_t · (a(e) if scheduled_t),  a(e) = 1 + schedule · cos(2π e / E).

    Attributes
    ----------
    terms : tuple of Term
        What is added up.
    sgd : SGD
        Step, epochs, batch.
    positives, negatives : PositiveRule, NegativeRule
        What anchors are drawn against.
    schedule : float
        Amplitude of a(e); 0.5 in the published code.
    dropout : float
        On z of anchors, and of the batch in cross-entropy.
    balanced : bool
        Whether every class has as many anchors a round as the class with most; else each anchor comes once.
    """

    terms: tuple[Term, ...]
    sgd: SGD
    positives: PositiveRule = field(default_factory=DrawnRows)
    negatives: NegativeRule = field(default_factory=RandomNegatives)
    schedule: float = 0.0
    dropout: float = 0.0
    balanced: bool = False

    def __post_init__(self) -> None:
        check(self, schedule=SHARE, dropout=BELOW_ONE)
        if not self.terms:
            raise EvenhandError("terms must hold at least one term of the loss, but there is none")


PAPER = Recipe(
    (AnchorCrossEntropy(), Calibration(), Similarity()),
    SGD(learning_rate=1e-4, epochs=100),
    schedule=0.5,
    dropout=0.1,
)
"""The paper's terms with its published settings (method notes, §3)."""

PAPER_CODE = replace(PAPER, terms=(AnchorCrossEntropy(), Calibration(), TargetedContrast()))
"""The same with the targeted loss that the published code trains in place of the similarity term."""

STABLE = Recipe(
    (Calibration(2.0, temperature=0.1), BatchCrossEntropy(balanced=True)),
    SGD(learning_rate=6e-4, epochs=15),
    balanced=True,
)
"""Cross-entropy on all rows holds what ERM knows; calibration moves the errors; classes count alike.

The terms of method notes §8 at twice the step and half the epochs.
"""


NEAREST = replace(STABLE, positives=Centroid(), negatives=NearestNegatives())
"""Steadier to be pulled to, nearer to be pushed from: better on some sets, worse on others, and dearer."""

GRID = tuple(
    replace(STABLE, sgd=replace(STABLE.sgd, learning_rate=rate))
    for rate in (2e-4, STABLE.sgd.learning_rate, 2e-3)
)
"""A small grid of steps: all their epochs are candidates of one choice, whose bound pays for their number."""


def default_recipe(problem: Problem) -> Recipe:
    """Return `STABLE`, at the published step where a whole attention pool is trained."""
    if isinstance(problem.start.projection, LinearProjection):
        return STABLE
    return replace(STABLE, sgd=replace(STABLE.sgd, learning_rate=1e-4))
