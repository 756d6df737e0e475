"""How well slices that were found without group labels match known groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

from evenhand._typing import Bools, Ints, Strings
from evenhand.audits.findings import Match
from evenhand.audits.slices import Sliced

BEST = 10


def match(
    model: str, method: str, sliced: Sliced, y: Ints, groups: Strings, names: Sequence[str], tests: Bools
) -> Match | None:
    """Compare slices with the codes y [N] and group names [N]; the empty string is unknown and left out.

    Precision at 10 of a group is the largest share of its rows among the ten most typical rows of a slice,
    over the slices with ten rows; None where no slice has them, or no group is known.
    """
    known = tests & (groups != "") & (sliced.member >= 0)
    tops = []
    for place in range(len(sliced.classes)):
        rows = np.flatnonzero(known & (sliced.member == place))
        if len(rows) >= BEST:
            tops.append(groups[rows[np.argsort(-sliced.typical[rows], kind="stable")[:BEST]]])
    present = [name for name in names if (groups[known] == name).any()]
    if not tops:
        return None
    precision = {name: max(float((top == name).mean()) for top in tops) for name in present}
    return Match(
        model=model,
        method=method,  # type: ignore[arg-type]
        precision_at_10=precision,
        mean_precision=float(np.mean(list(precision.values()))),
        adjusted_mutual_information=_within_classes(groups[known], sliced.member[known], y[known]),
    )


def _within_classes(groups: Strings, member: Ints, y: Ints) -> float:
    """Return the mean over classes by rows: across classes every slice would match for its label alone."""
    parts = [(y == code) for code in np.unique(y)]
    scores = [adjusted_mutual_info_score(groups[part], member[part]) for part in parts]
    return float(np.average(scores, weights=[part.sum() for part in parts]))
