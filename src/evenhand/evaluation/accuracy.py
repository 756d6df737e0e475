"""Accuracies with intervals, worst accuracies and the four averages, of any predictor."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np
from pydantic import BaseModel

from evenhand._typing import Bools, Ints, Strings
from evenhand.functional.intervals import wilson


class Rate(BaseModel):
    """Accuracy of a class, cell or group of n rows, with Wilson's 95 % interval; None when n = 0."""

    name: str
    n: int
    value: float | None
    low: float | None
    high: float | None


class Averages(BaseModel):
    """The four meanings of "average accuracy".

    plain: mean over rows. train_weighted: group accuracies weighted by each group's share of training.
    group_mean: unweighted mean of group accuracies. class_mean: unweighted mean of class accuracies.
    None if groups or training shares are unknown, or if one of the accuracies is undefined.
    """

    plain: float | None
    train_weighted: float | None
    group_mean: float | None
    class_mean: float | None


class Evaluation(BaseModel):
    """The accuracies of a predictor on one split.

    `gap` is the largest minus the smallest defined group accuracy (class accuracy if there are no groups).
    """

    n: int
    classes: list[Rate]
    cells: list[Rate]
    groups: list[Rate]
    worst_class: Rate | None
    worst_group: Rate | None
    averages: Averages
    gap: float | None


def evaluate(
    right: Bools,
    y: Ints,
    classes: Sequence[str],
    *,
    erm_right: Bools | None = None,
    groups: Strings | None = None,
    group_names: Sequence[str] = (),
    train_groups: Strings | None = None,
) -> Evaluation:
    """Return the accuracies of predictions, by class, group and cell.

    Parameters
    ----------
    right : bool [N]
        Whether each prediction is correct.
    y : int64 [N]
        Class codes, positions in `classes`.
    classes : sequence of C str
        Class names.
    erm_right : bool [N], optional
        Whether ERM's prediction is correct, for the cells class × (ERM right, ERM wrong).
    groups : str [N], optional
        Group names; a row with the empty string is in no group.
    group_names : sequence of G str, default=()
        All groups. A group without rows gives a rate with n = 0.
    train_groups : str [M], optional
        Group names of the training rows, for `train_weighted`.

    Examples
    --------
    >>> y = np.array([0, 0, 1, 1])
    >>> found = evaluate(np.array([True, True, True, False]), y, ["cat", "dog"])
    >>> found.worst_class.name, found.averages.plain
    ('dog', 0.75)
    """
    by_class = [rate(name, right[y == code]) for code, name in enumerate(classes)]
    cells = []
    if erm_right is not None:
        cells = [
            rate(f"{name} / ERM {word}", right[(y == code) & (erm_right == state)])
            for code, name in enumerate(classes)
            for word, state in (("right", True), ("wrong", False))
        ]
    by_group = [] if groups is None else [rate(name, right[groups == name]) for name in group_names]
    return Evaluation(
        n=len(y),
        classes=by_class,
        cells=cells,
        groups=by_group,
        worst_class=worst(by_class),
        worst_group=worst(by_group),
        averages=Averages(
            plain=float(right.mean()) if len(right) else None,
            train_weighted=_weighted(by_group, train_groups),
            group_mean=mean_rate(by_group),
            class_mean=mean_rate(by_class),
        ),
        gap=_gap(by_group or by_class),
    )


def rate(name: str, right: Bools) -> Rate:
    """Return the share of True in `right` [N] with its interval.

    Examples
    --------
    >>> found = rate("dog", np.array([True, False]))
    >>> found.n, found.value
    (2, 0.5)
    """
    low, high = wilson(int(right.sum()), len(right))
    return Rate(
        name=name,
        n=len(right),
        value=float(right.mean()) if len(right) else None,
        low=None if isnan(low) else low,
        high=None if isnan(high) else high,
    )


def worst(rates: Sequence[Rate]) -> Rate | None:
    """Return the smallest defined rate; None if no rate is defined."""
    defined = [r for r in rates if r.value is not None]
    return min(defined, key=lambda r: r.value or 0.0) if defined else None


def _values(rates: Sequence[Rate]) -> list[float] | None:
    values = [r.value for r in rates if r.value is not None]
    return values if values and len(values) == len(rates) else None


def mean_rate(rates: Sequence[Rate]) -> float | None:
    """Return the unweighted mean of rates; None if one is undefined, or there are none."""
    values = _values(rates)
    return None if values is None else float(np.mean(values))


def _gap(rates: Sequence[Rate]) -> float | None:
    values = [r.value for r in rates if r.value is not None]
    return max(values) - min(values) if values else None


def _weighted(rates: Sequence[Rate], train_groups: Strings | None) -> float | None:
    if train_groups is None:
        return None
    shares: Any = np.array([np.count_nonzero(train_groups == r.name) for r in rates], dtype=float)
    if shares.sum() == 0 or any(r.value is None and s > 0 for r, s in zip(rates, shares, strict=True)):
        return None
    return float(sum(s * (r.value or 0.0) for r, s in zip(rates, shares, strict=True)) / shares.sum())
