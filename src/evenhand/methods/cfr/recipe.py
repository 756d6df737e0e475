"""A recipe of calibration: loss terms, draws and optimizer."""

from __future__ import annotations

from dataclasses import dataclass, field

from evenhand._errors import EvenhandError
from evenhand._ranges import BELOW_ONE, SHARE, check
from evenhand.methods._draws.negatives import NegativeRule, RandomNegatives
from evenhand.methods._draws.positives import DrawnRows, PositiveRule
from evenhand.methods._training.loop import SGD
from evenhand.methods.cfr.loss_terms import (
    Term,
)


@dataclass(frozen=True)
class Recipe:
    """The terms of the calibration loss, and how the loss is minimized.

        loss at epoch e = Σ_t weight_t · L_t · (a(e) if scheduled_t else 1),  a(e) = 1 + schedule · cos(2π e /
        E)

    Parameters
    ----------
    terms : tuple of Term
        Terms of the loss, at least one.
    sgd : SGD
        Optimizer; its epochs are E.
    positives : PositiveRule, default=DrawnRows()
        How the positives of an anchor are drawn.
    negatives : NegativeRule, default=RandomNegatives()
        How the negatives of an anchor are drawn.
    schedule : float, default=0.0
        Amplitude of a(e), from 0 to 1; 0.5 in the published code.
    dropout : float, default=0.0
        Dropout of the embeddings of anchors, and of the batch in cross-entropy; at least 0 and below 1.
    balanced : bool, default=False
        True repeats anchors until every class has equally many; False uses every anchor once per round.

    Raises
    ------
    EvenhandError
        If there is no term, or a number is out of its range.

    Examples
    --------
    >>> from evenhand import Recipe
    >>> from evenhand.methods import SGD, BatchCrossEntropy, Calibration
    >>> recipe = Recipe((Calibration(2.0), BatchCrossEntropy()), SGD(learning_rate=1e-3, epochs=5))
    >>> recipe.positives
    DrawnRows(k=16)
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
            raise EvenhandError("terms: it is empty; give at least one loss term, such as Calibration()")
