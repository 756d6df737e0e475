"""AUROC, average precision, precision, recall and F1 of each class against the others, with intervals."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from math import isnan, nan
from typing import Literal

import numpy as np
from pydantic import BaseModel

from evenhand._typing import Bools, Floats, Ints, Strings
from evenhand.evaluation.accuracy import Rate, mean_rate, worst
from evenhand.functional.intervals import f1_interval, logit_interval, wilson
from evenhand.functional.one_vs_rest import auroc, average_precision, log_odds, ranked_counts

Figure = Literal["auroc", "average_precision", "precision", "recall", "f1"]
BLOCK = 16_384
"""Rows whose log odds are computed at a time."""
MOST_SCORES = 2**24
"""Rows × classes whose scores are kept, 64 MB; with more there is no AUROC and no average precision."""


class Figures(BaseModel):
    """One figure of every class and group, each class against the others.

    A group is a class c with an attribute value a. Its figures compare class c with the other classes among
    the rows with value a. The rest of class c is compared among the rows whose value makes no group of class
    c by itself. The n of a rate is the number of rows that it is a share of: the rows of the class for
    recall, those predicted as the class for precision, either for F1, and the smaller side for AUROC and
    average precision. Intervals are at 95 %: Wilson's for precision, recall and F1 (through the Jaccard
    index), DeLong's for AUROC, and the infinitesimal jackknife's for average precision, both symmetric in the
    log odds.
    """

    classes: list[Rate]
    groups: list[Rate]
    worst_class: Rate | None
    worst_group: Rate | None
    class_mean: float | None
    group_mean: float | None


def empty_scores(n_rows: int, n_classes: int) -> Floats | None:
    """Return an empty array for the logits of all rows, float32 [N, C]; None above `MOST_SCORES`."""
    if n_rows * n_classes > MOST_SCORES:
        return None
    return np.empty((n_rows, n_classes), dtype=np.float32)


def figures(
    y: Ints,
    predicted: Ints,
    logits: Floats | None,
    classes: Sequence[str],
    *,
    values: Strings | None = None,
    value_names: Sequence[str] = (),
    group_names: Collection[str] | None = None,
    rest: str | None = None,
) -> dict[Figure, Figures]:
    """Return every figure of a predictor.

    Parameters
    ----------
    y, predicted : int64 [N]
        Codes of the true and of the predicted classes.
    logits : float [N, C] or None
        Logits of the same rows; without them, or with more than `MOST_SCORES`, AUROC and average precision
        are left out.
    classes : sequence of C str
        Class names.
    values : str [N], optional
        Attribute value of each row; the empty string is unknown.
    value_names : sequence of str, default=()
        All values, in the order of the groups of a class.
    group_names : collection of str, optional
        The groups to evaluate, as `class / value`; by default, every value of every class.
    rest : str, optional
        The name in `value_names` of all values that make no group of a class by themselves.

    Examples
    --------
    >>> y, logits = np.array([0, 0, 1, 1]), np.array([[2.0, 0], [0, 1], [0, 2], [1, 0]])
    >>> found = figures(y, logits.argmax(axis=1), logits, ["cat", "dog"])
    >>> found["auroc"].worst_class.value, found["f1"].class_mean
    (0.75, 0.5)
    """
    scores = None if logits is None or not 0 < logits.size <= MOST_SCORES else _scores(logits)
    parts = {} if values is None else {value: values == value for value in value_names if value != rest}
    everyone = np.ones(len(y), dtype=np.bool_)
    by_class: dict[Figure, list[Rate]] = {}
    by_group: dict[Figure, list[Rate]] = {}
    for code, name in enumerate(classes):
        of_class = None if scores is None else scores[:, code]
        one = (y == code, predicted == code, of_class)
        _collect(by_class, name, one, everyone)
        own = {value: inside for value, inside in parts.items() if _is_group(name, value, group_names)}
        if values is not None and rest is not None and _is_group(name, rest, group_names):
            own[rest] = (values != "") & ~np.any(list(own.values()) or [~everyone], axis=0)
        for value in filter(own.__contains__, value_names):
            _collect(by_group, f"{name} / {value}", one, own[value])
    return {figure: _summary(rates, by_group.get(figure, [])) for figure, rates in by_class.items()}


def _is_group(label: str, value: str, group_names: Collection[str] | None) -> bool:
    return group_names is None or f"{label} / {value}" in group_names


def _scores(logits: Floats) -> Floats:
    """Return the log odds block by block: their temporaries take several times the memory of the logits."""
    return np.concatenate([log_odds(logits[k : k + BLOCK]) for k in range(0, len(logits), BLOCK)])


def _collect(
    into: dict[Figure, list[Rate]], name: str, one: tuple[Bools, Bools, Floats | None], inside: Bools
) -> None:
    truth, said, scores = one
    for figure, value, interval, n in _of_rows(
        truth[inside], said[inside], None if scores is None else scores[inside]
    ):
        low, high = (None if isnan(bound) else bound for bound in interval)
        known = None if n == 0 or isnan(value) else value
        into.setdefault(figure, []).append(Rate(name=name, n=n, value=known, low=low, high=high))


def _of_rows(
    truth: Bools, said: Bools, scores: Floats | None
) -> Iterator[tuple[Figure, float, tuple[float, float], int]]:
    """Yield (figure, value, interval, n) of one class against the others."""
    if scores is not None:
        ranked = ranked_counts(scores, truth)
        n = min(int(truth.sum()), int((~truth).sum()))
        areas: Mapping[Figure, tuple[float, float]] = {
            "auroc": auroc(*ranked),
            "average_precision": average_precision(*ranked),
        }
        for figure, (value, error) in areas.items():
            yield figure, value, logit_interval(value, error, n), n
    hits, of_class, of_said = (int(rows.sum()) for rows in (truth & said, truth, said))
    either = of_class + of_said - hits
    yield "precision", hits / max(of_said, 1), wilson(hits, of_said), of_said
    yield "recall", hits / max(of_class, 1), wilson(hits, of_class), of_class
    # Nothing of a class without rows can be found, however good the predictor is.
    f1 = 2 * hits / (of_class + of_said) if of_class else nan
    yield "f1", f1, f1_interval(hits, either - hits) if of_class else (nan, nan), either


def _summary(classes: list[Rate], groups: list[Rate]) -> Figures:
    return Figures(
        classes=classes,
        groups=groups,
        worst_class=worst(classes),
        worst_group=worst(groups),
        class_mean=mean_rate(classes),
        group_mean=mean_rate(groups),
    )
