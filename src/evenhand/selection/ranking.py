"""AUROC in place of accuracy in a decision: each class against the others, within cells of its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints
from evenhand.functional.placements import placements

METRICS = {"accuracy": "accuracy", "auroc": "AUROC"}
"""The metrics that a decision can use, each with its name in sentences."""
MOST_SCORES = 2**26
"""Most scores of candidates that are kept in memory: 256 MiB."""


def keeps_scores(metric: str, scores: int) -> bool:
    """Return whether a decision by a metric needs all scores, rows × classes × candidates.

    Raises
    ------
    EvenhandError
        If a decision cannot use this metric, or there are too many scores.
    """
    if metric not in METRICS:
        raise EvenhandError(
            f"metric: no choice can be made by {metric!r}; the allowed values are {' and '.join(METRICS)}, "
            "since all "
            "others also depend on how common the classes are"
        )
    if metric == "auroc" and scores > MOST_SCORES:
        raise EvenhandError(
            f"metric: AUROC ranks {scores:,} scores, rows × classes × candidates, and at most "
            f"{MOST_SCORES:,} are kept in memory; choose by accuracy"
        )
    return metric == "auroc"


@dataclass(frozen=True)
class Ranking:
    """Scores of K candidates for N rows that did not train them.

    Attributes
    ----------
    scores : float32 [K, N, C]
        Log odds of every class.
    y : int64 [N]
        Class codes.

    Raises
    ------
    EvenhandError
        If all rows are of one class.
    """

    scores: Floats
    y: Ints

    def __post_init__(self) -> None:
        if len(np.unique(self.y)) < 2:
            raise EvenhandError("metric: AUROC needs held-out rows of two classes; choose by accuracy")

    def above(self) -> Floats:
        """Return for each row the share of the other classes' rows that its own class scores lower, [K, N].

        The weighted mean over a cell of one class is the AUROC of that cell against all other classes.
        """
        out = np.empty(self.scores.shape[:2])
        for code in np.unique(self.y):
            mine, own = self.y == code, self.scores[:, :, code]
            out[:, mine] = placements(own[:, mine], own[:, ~mine], np.ones(int((~mine).sum())))
        return out

    def of_others(self, rows: Ints, weights: Floats) -> Floats:
        """Return for each row of the other classes the share of a cell that is scored higher, [K, M].

        Parameters
        ----------
        rows, weights : int64 [n], float [n]
            A cell of one class.
        """
        code = self.y[rows[0]]
        own = self.scores[:, :, code]
        out: Floats = 1 - placements(own[:, self.y != code], own[:, rows], np.maximum(weights, 1e-12))
        return out
