"""How much more a group errs than the rest of its class, and the smallest gap that its rows could show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel

from evenhand._typing import Bools, Ints, Strings
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.slices import SLICES
from evenhand.functional.excess import excess_errors, holm
from evenhand.functional.power import LEVEL, detectable_gap, rows_for_gap
from evenhand.runs.models import Stage


class Gap(BaseModel):
    """A group of test rows compared with the rest of its class, or a slice that a class may hold.

    name: `waterbird / land`, or `a fifth of class waterbird`. n, others: rows of the group, and of the rest
    of its class. error, error_of_others: their error rates; for a slice, None and that of the class.
    p_corrected: one-sided exact test of the group against the rest, with Holm's correction over the groups;
    None for a slice. detectable: the gap in error rates that so many rows show in four of five tests, None
    where none is. needed: rows of the group, and as many others, that show the planned gap; None without a
    plan.
    """

    name: str
    n: int
    others: int
    error: float | None
    error_of_others: float
    p_corrected: float | None = None
    detectable: float | None
    needed: int | None = None

    @property
    def lift(self) -> float:
        """How much more the group errs than the rest of its class."""
        return 0.0 if self.error is None else self.error - self.error_of_others

    @property
    def beyond_chance(self) -> bool:
        """Whether it errs more than chance explains."""
        return self.p_corrected is not None and self.p_corrected <= LEVEL


def find_gaps(models: EvaluatedModels, stage: Stage, plan: float | None = None) -> list[Gap]:
    """Return the gaps of a model of `models.on_test`: of known groups, else of a slice in every class.

    Parameters
    ----------
    models : EvaluatedModels
        The models with their test rows.
    stage : Stage
        The model whose errors are counted.
    plan : float, optional
        The gap that is to be shown, as a fraction.
    """
    on = models.evaluated
    if on.groups is None:
        return slice_gaps(on.y, ~stage.right, on.classes, plan)
    return group_gaps(on.y, ~stage.right, on.groups, on.group_names, plan)


def group_gaps(
    y: Ints, wrong: Bools, groups: Strings, names: Sequence[str], plan: float | None = None
) -> list[Gap]:
    """Return the gap of every group that has rows and a rest of its class.

    Parameters
    ----------
    y : int64 [N]
        Codes of the labels.
    wrong : bool [N]
        The errors.
    groups : str [N]
        Group names; a row with the empty string is left out.
    names : sequence of str
        All groups there are.
    plan : float, optional
        The gap that is to be shown.
    """
    parts = []
    for name in names:
        mine = groups == name
        rest = np.isin(y, y[mine]) & ~mine & (groups != "")
        if mine.any() and rest.any():
            parts.append((name, wrong[mine], wrong[rest]))
    p = holm(np.array([_chance(mine, rest) for _, mine, rest in parts]))
    level = LEVEL / max(1, len(parts))
    found = []
    for place, (name, mine, rest) in enumerate(parts):
        measured = {"error": float(mine.mean()), "p_corrected": float(p[place])}
        found.append(_gap(name, len(mine), len(rest), rest, level, plan, **measured))
    return found


def slice_gaps(y: Ints, wrong: Bools, classes: Sequence[str], plan: float | None = None) -> list[Gap]:
    """Return the gap that a slice could show: a fifth of the half of a class that tests slices.

    Parameters
    ----------
    y, wrong, plan
        As in `group_gaps`.
    classes : sequence of C str
        Class names.
    """
    level = LEVEL / (len(classes) * SLICES)
    found = []
    for code, name in enumerate(classes):
        own = wrong[y == code]
        half = len(own) // 2
        n = half // SLICES
        if n:
            found.append(_gap(f"a fifth of class {name}", n, half - n, own, level, plan))
    return found


def _chance(mine: Bools, rest: Bools) -> float:
    errors = int(mine.sum())
    return excess_errors(errors, len(mine), errors + int(rest.sum()), len(mine) + len(rest))


def _gap(
    name: str, n: int, others: int, rest: Bools, level: float, plan: float | None, **measured: float
) -> Gap:
    # One error more and two rows more: no rate is taken for 0 because few rows show no error.
    error = (int(rest.sum()) + 1) / (len(rest) + 2)
    detectable = float(detectable_gap(n, error, others, level))
    reached = plan is not None and plan < 1 - error
    return Gap(
        name=name,
        n=n,
        others=others,
        error=measured.get("error"),
        error_of_others=float(rest.mean()),
        p_corrected=measured.get("p_corrected"),
        detectable=None if np.isnan(detectable) else detectable,
        needed=rows_for_gap(plan, error, level) if plan is not None and reached else None,
    )
