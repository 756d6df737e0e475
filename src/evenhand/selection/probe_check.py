"""Whether the shortcut probe reads a shortcut: zero-shot, which never saw the labels, is the witness.

A probe that reads the background errs on rows whose class is plain to see, so zero-shot has them right, and
how clearly it sees a row's class says nothing of how the probe takes it. A probe that reads the class itself
errs on hard rows, where zero-shot errs too, and both grow unsure together. Then a gain on the probe's errors
is a gain on hard or mislabelled rows, and says nothing about groups.
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
    """What zero-shot says of the probe.

    Attributes
    ----------
    legibility : float
        The probe's class-mean accuracy above chance, 1 for a perfect one.
    competence : float
        Zero-shot's class-mean accuracy above chance, as a share of ERM's.
    agreement : float
        Rank correlation within classes of zero-shot's margin with the probe's, without the suspects.
    support : float
        Zero-shot's accuracy where the probe is wrong, as a share of that where it is right; no suspects.
    """

    legibility: float
    competence: float
    agreement: float
    support: float

    @classmethod
    def of(cls, judged: HeldOutPredictions) -> ProbeDiagnostics:
        """Hear zero-shot on the judged rows, whose probe and margins must be known."""
        assert judged.zero_shot_margin is not None
        assert judged.shortcut_margin is not None
        trusted = ~judged.suspects
        wrong = judged.shortcut != judged.y
        seen = judged.zero_shot == judged.y
        where_right, where_wrong = seen[trusted & ~wrong], seen[trusted & wrong]
        comparable = len(where_wrong) > 0 and where_right.any()
        return cls(
            legibility=above_chance(judged.shortcut, judged.y),
            competence=above_chance(judged.zero_shot, judged.y)
            / max(above_chance(judged.erm, judged.y), np.finfo(float).tiny),
            agreement=within_class_correlation(
                judged.zero_shot_margin[trusted], judged.shortcut_margin[trusted], judged.y[trusted]
            ),
            support=float(where_wrong.mean() / where_right.mean()) if comparable else 1.0,
        )

    def as_dict(self) -> dict[str, float]:
        """Return plain data."""
        return asdict(self)


@dataclass(frozen=True)
class ProbeSanityCheck:
    """What zero-shot must say before a gain in the probe's cells counts.

    The bounds were set on the sets of `benchmarks/selection.py` and on others held against them; the
    documentation has the figures.

    Attributes
    ----------
    legibility, competence : float
        Least values: under them the probe reads nothing, or zero-shot is no judge of these classes.
    agreement, support : float
        The probe is taken to read the class itself where agreement is above, and support under, its bound.
    """

    legibility: float = 0.2
    competence: float = 0.7
    agreement: float = 0.4
    support: float = 0.95

    def __post_init__(self) -> None:
        check(self, legibility=SHARE, competence=SHARE, agreement=SHARE, support=SHARE)

    def objection(self, heard: ProbeDiagnostics, *, has_text: bool = True) -> str | None:
        """Return why the probe's cells are no evidence, or None; without text class centroids testify."""
        if has_text:
            names, knows, errs = "class names", "zero-shot hardly knows these classes", "zero-shot errs"
        else:
            names, knows = "class centroids", "class centroids hardly tell these classes apart"
            errs = "class centroids err"
        if heard.legibility < self.legibility:
            return f"nothing but the {names} tells the classes apart, so no shortcut can be read"
        if heard.competence < self.competence:
            return f"{knows}, so nothing vouches for what the shortcut probe reads"
        if heard.agreement > self.agreement and heard.support < self.support:
            return f"the shortcut probe errs where {errs} too: its errors are hard rows, no minority"
        return None


def above_chance(predicted: Ints, y: Ints) -> float:
    """Return (mean over classes of accuracy − 1/C) / (1 − 1/C), C the number of classes in y [M]."""
    codes = np.unique(y)
    if len(codes) < 2:
        return 1.0
    mean = np.mean([(predicted[y == code] == code).mean() for code in codes])
    return float((mean - 1 / len(codes)) / (1 - 1 / len(codes)))


def within_class_correlation(a: Floats, b: Floats, y: Ints) -> float:
    """Return Pearson's correlation of ranks that are taken within the classes y [M], spread over −½ to ½.

    0 where either is constant within every class.
    """
    ranks = np.zeros((2, len(y)))
    for code in np.unique(y):
        rows: Bools = y == code
        for line, values in zip(ranks, (a, b), strict=True):
            line[rows] = (rankdata(values[rows]) - 0.5) / rows.sum() - 0.5
    norm = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float((ranks[0] * ranks[1]).sum()) / norm if norm > 0 else 0.0
