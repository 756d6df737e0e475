"""How well slices that were found without group labels match known groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

from evenhand._typing import Bools, Strings
from evenhand.audit.findings import Match
from evenhand.audit.slices import Sliced

BEST = 10


def match(
    model: str, method: str, sliced: Sliced, groups: Strings, names: Sequence[str], tests: Bools
) -> Match | None:
    """Compare slices with group names [N]; the empty string is unknown and left out.

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
        adjusted_mutual_information=float(
            adjusted_mutual_info_score(groups[known], sliced.member[known])
        ),
    )
