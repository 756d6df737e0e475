"""How well slices that were found without group labels match known groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

from evenhand._typing import Bools, Ints, Strings
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.findings import Match
from evenhand.audits.slices import SliceAssignment

BEST = 10
"""Rows of a slice whose groups are counted."""


def group_matches(
    models: EvaluatedModels, assignments: Mapping[tuple[str, str], SliceAssignment]
) -> list[Match]:
    """Compare each (model, method)'s slices with the known groups, on the half that tests."""
    rows, names = models.rows, models.evaluated.group_names
    groups = models.groups(rows.numbers)
    if groups is None:
        return []
    compared = (
        match(model, method, assigned, rows.y, groups, names, ~rows.finds)
        for (model, method), assigned in assignments.items()
    )
    return [one for one in compared if one is not None]


def match(
    model: str,
    method: str,
    assigned: SliceAssignment,
    y: Ints,
    groups: Strings,
    names: Sequence[str],
    tests: Bools,
) -> Match | None:
    """Compare slices with known groups.

    Precision at 10 of a group is the largest share of its rows among the ten most typical rows of a slice,
    over the slices with ten rows.

    Parameters
    ----------
    model, method : str
        Whose errors were sliced, and how.
    assigned : SliceAssignment
        The slices.
    y : int64 [N]
        Class codes.
    groups : str [N]
        Group names; a row with the empty string is left out.
    names : sequence of str
        All groups there are.
    tests : bool [N]
        The rows that test.

    Returns
    -------
    Match or None
        None if no slice has ten rows of known group.
    """
    known = tests & (groups != "") & (assigned.member >= 0)
    tops = []
    for place in range(len(assigned.classes)):
        rows = np.flatnonzero(known & (assigned.member == place))
        if len(rows) >= BEST:
            tops.append(groups[rows[np.argsort(-assigned.typical[rows], kind="stable")[:BEST]]])
    present = [name for name in names if (groups[known] == name).any()]
    if not tops:
        return None
    precision = {name: max(float((top == name).mean()) for top in tops) for name in present}
    return Match(
        model=model,
        method=method,  # type: ignore[arg-type]
        precision_at_10=precision,
        mean_precision=float(np.mean(list(precision.values()))),
        adjusted_mutual_information=_within_classes(groups[known], assigned.member[known], y[known]),
    )


def _within_classes(groups: Strings, member: Ints, y: Ints) -> float:
    """Return the mean over classes by rows: across classes every slice would match for its label alone."""
    parts = [(y == code) for code in np.unique(y)]
    scores = [adjusted_mutual_info_score(groups[part], member[part]) for part in parts]
    return float(np.average(scores, weights=[part.sum() for part in parts]))
