"""Check that the shortcut probe reads a shortcut, by comparing it with zero-shot, which never saw the labels.

A probe that reads the background errs on rows whose class is easy to see. Zero-shot classifies those rows
correctly, and its margin is unrelated to the probe's. A probe that reads the class itself errs on hard rows,
where zero-shot errs too, and both margins fall together. A gain on the errors of such a probe is a gain on
hard or mislabeled rows; it says nothing about groups.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import rankdata

from evenhand._ranges import SHARE, check
from evenhand._typing import Bools, Floats, Ints
from evenhand.selection.held_out import HeldOutPredictions


@dataclass(frozen=True)
class ProbeDiagnostics:
    """Diagnostics of the shortcut probe, by comparison with zero-shot.

    Attributes
    ----------
    legibility : float
        Class-mean accuracy of the probe above chance; 1 for a perfect probe.
    competence : float
        Class-mean accuracy of zero-shot above chance, divided by that of ERM.
    agreement : float
        Rank correlation, within classes, of the margins of zero-shot and the probe, without the suspects.
    support : float
        Accuracy of zero-shot where the probe is wrong, divided by its accuracy where the probe is correct,
        without the suspects; 1 if that is undefined.
    """

    legibility: float
    competence: float
    agreement: float
    support: float

    @classmethod
    def of(cls, held_out: HeldOutPredictions) -> ProbeDiagnostics:
        """Return the diagnostics on held-out rows; both margins must be known."""
        assert held_out.zero_shot_margin is not None
        assert held_out.shortcut_margin is not None
        trusted = ~held_out.suspects
        wrong = held_out.shortcut != held_out.y
        seen = held_out.zero_shot == held_out.y
        where_right, where_wrong = seen[trusted & ~wrong], seen[trusted & wrong]
        comparable = len(where_wrong) > 0 and where_right.any()
        return cls(
            legibility=above_chance(held_out.shortcut, held_out.y),
            competence=above_chance(held_out.zero_shot, held_out.y)
            / max(above_chance(held_out.erm, held_out.y), float(np.finfo(float).tiny)),
            agreement=within_class_correlation(
                held_out.zero_shot_margin[trusted], held_out.shortcut_margin[trusted], held_out.y[trusted]
            ),
            support=float(where_wrong.mean() / where_right.mean()) if comparable else 1.0,
        )

    def as_dict(self) -> dict[str, float]:
        """Return the four attributes."""
        return asdict(self)


@dataclass(frozen=True)
class ProbeSanityCheck:
    """Bounds on `ProbeDiagnostics` under which a gain in the probe's cells counts as evidence.

    The defaults were set on the data sets of `benchmarks/selection.py` and checked on others. The page
    "Choosing without group labels" has the figures.

    Attributes
    ----------
    legibility : float, default=0.2
        Smallest legibility; below it the probe reads nothing.
    competence : float, default=0.7
        Smallest competence; below it zero-shot does not know the classes.
    agreement, support : float, default=0.4, 0.95
        The probe reads the class itself where agreement is above its bound and support is below its bound.

    Raises
    ------
    EvenhandError
        If a bound is not between 0 and 1.
    """

    legibility: float = 0.2
    competence: float = 0.7
    agreement: float = 0.4
    support: float = 0.95

    def __post_init__(self) -> None:
        check(self, legibility=SHARE, competence=SHARE, agreement=SHARE, support=SHARE)

    def objection(self, diagnostics: ProbeDiagnostics, *, has_text: bool = True) -> str | None:
        """Return why a gain in the probe's cells is no evidence, or None.

        Parameters
        ----------
        diagnostics : ProbeDiagnostics
            Diagnostics of the probe.
        has_text : bool, default=True
            Whether zero-shot uses class names; otherwise the sentence names class centroids.
        """
        if has_text:
            names, knows, errs = "class names", "zero-shot hardly knows these classes", "zero-shot errs"
        else:
            names, knows = "class centroids", "class centroids hardly tell these classes apart"
            errs = "class centroids err"
        if diagnostics.legibility < self.legibility:
            return f"nothing but the {names} tells the classes apart, so no shortcut can be detected"
        if diagnostics.competence < self.competence:
            return f"{knows}, so the shortcut probe cannot be checked"
        if diagnostics.agreement > self.agreement and diagnostics.support < self.support:
            return f"the shortcut probe errs where {errs} too: its errors are hard rows, not a minority"
        return None


def above_chance(predicted: Ints, y: Ints, weights: Floats | None = None) -> float:
    """Return the class-mean accuracy above chance, (mean_c accuracy_c − 1/C) / (1 − 1/C).

    Parameters
    ----------
    predicted, y : int64 [M]
        Predicted and true class codes; C is the number of classes in `y`. With one class the value is 1.
    weights : float [M], optional
        How much a row counts in its class, above 0; by default all count equally.
    """
    codes = np.unique(y)
    if len(codes) < 2:
        return 1.0
    counted = np.ones(len(y)) if weights is None else weights
    mean = np.mean([np.average(predicted[y == code] == code, weights=counted[y == code]) for code in codes])
    return float((mean - 1 / len(codes)) / (1 - 1 / len(codes)))


def within_class_correlation(a: Floats, b: Floats, y: Ints) -> float:
    """Return Pearson's correlation of the ranks of `a` and `b` [M] within classes `y` [M].

    Ranks are scaled to −½ to ½ in each class. The value is 0 if `a` or `b` is constant in every class.
    """
    ranks = np.zeros((2, len(y)))
    for code in np.unique(y):
        rows: Bools = y == code
        for rank, values in zip(ranks, (a, b), strict=True):
            rank[rows] = (rankdata(values[rows]) - 0.5) / rows.sum() - 0.5
    norm = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float((ranks[0] * ranks[1]).sum()) / norm if norm > 0 else 0.0
