"""One method on one seed of a comparison: its configurations, judged on held-out rows by one rule for all."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from evenhand._errors import EvenhandError, EvenhandWarning
from evenhand._typing import Ints
from evenhand.data.concepts import Concepts
from evenhand.data.partition import SplitRows
from evenhand.data.table import FeatureTable
from evenhand.methods.base import Method
from evenhand.methods.cfr.held_out import held_out_predictions
from evenhand.methods.registry import make, method_class
from evenhand.runs.fit import given_to_fit, selection_of, words_for
from evenhand.runs.streaming import features, streams
from evenhand.selection.cells import Partition
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import find_rule

ON = "held-out training rows"
BASELINE = "auto"
"""Its fit decides between zero-shot, ERM and its own candidates; the others must beat what it keeps."""


@dataclass(frozen=True)
class Job:
    """What a unit needs to know; `table` comes beside it.

    Attributes
    ----------
    method, seed : str, int
        Which unit.
    configurations : tuple of mappings
        Parameters to try; of equal scores the first wins.
    rows : SplitRows
        `validation` holds the rows held out of training, which label-free methods never see.
    shown : SplitRows
        The same with the validation rows that a fit sees.
    column : str or None
        The attribute that makes groups, for methods that declare that they use them.
    rule : str
        Who judges.
    partition : Partition
        The rule's cells of the held-out rows.
    concepts : Concepts or None
        For methods that need words.
    """

    method: str
    seed: int
    configurations: tuple[Mapping[str, Any], ...]
    rows: SplitRows
    shown: SplitRows
    column: str | None
    rule: str
    partition: Partition
    concepts: Concepts | None = None


class Trial(BaseModel):
    """One configuration: its score on held-out rows, the seconds of its fit, or why it failed."""

    params: dict[str, Any]
    score: float | None = None
    fit_seconds: float
    error: str | None = None
    picked: bool = False


class JobResult(BaseModel):
    """What a unit leaves: how the pick came about, and what it predicts.

    Attributes
    ----------
    test, held_out : list of int
        Codes that the pick predicts on test rows and held-out rows.
    logits : list of lists of float, or None
        Of the held-out rows; for `erm` and `auto` alone, which judgements refer to.
    """

    model_config = ConfigDict(extra="forbid")

    method: str
    seed: int
    status: Literal["ok", "failed"]
    reason: str | None = None
    selection: str | None = None
    kept: dict[str, Any] | None = None
    notes: list[str] = []
    grid: list[Trial] = []
    test: list[int] = []
    held_out: list[int] = []
    logits: list[list[float]] | None = None


def run_job(table: FeatureTable, task: Job) -> JobResult:
    """Fit every configuration and keep what the pick predicts; a failure is told, not raised."""
    attempts = [_attempt(table, task, params) for params in task.configurations]
    grid = [attempt.trial for attempt in attempts]
    fitted = [attempt for attempt in attempts if attempt.estimator is not None]
    if not fitted:
        return JobResult(method=task.method, seed=task.seed, status="failed", reason=grid[0].error, grid=grid)
    pick = max(fitted, key=lambda attempt: _score(attempt.trial))
    pick.trial.picked = True
    estimator = pick.estimator
    assert estimator is not None
    held = estimator.model_.logits(table.stored(task.rows.validation))
    return JobResult(
        method=task.method,
        seed=task.seed,
        status="ok",
        selection=_selection(task, estimator),
        kept=estimator.kept_,
        notes=[*pick.notes, *_own_rows(task, estimator)],
        grid=grid,
        test=_codes(estimator.model_.logits(table.stored(task.rows.test))).tolist(),
        held_out=_codes(held).tolist(),
        logits=held.tolist() if task.method in ("erm", BASELINE) else None,
    )


def judge(table: FeatureTable, task: tuple[int, SplitRows, str, str | None]) -> HeldOutPredictions:
    """Return what the rule may see of the held-out rows of (seed, rows, rule, column)."""
    seed, rows, name, column = task
    rule = find_rule(name)
    stream = streams(table, rows.train, method_class("erm"), "erm", None)
    judged = held_out_predictions(
        features(table, rows.train, stream=stream),
        table.y[rows.train],
        features(table, rows.validation, stream=stream),
        table.y[rows.validation],
        table.head,
        rule,
        seed,
    )
    if rule.group_labels_used == "none" or column is None:
        return judged
    values, codes = np.unique(table.attributes[column][rows.validation], return_inverse=True)
    return replace(judged, groups=np.where(values[codes] == "", -1, codes))


def sentence(error: Exception) -> str:
    """Return a failure as one line; unexpected ones are named by their kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, EvenhandError) else f"{type(error).__name__}: {text}"


@dataclass(frozen=True)
class _Attempt:
    """How one configuration went; without estimator it failed."""

    trial: Trial
    estimator: Method | None = None
    notes: tuple[str, ...] = ()


def _attempt(table: FeatureTable, task: Job, params: Mapping[str, Any]) -> _Attempt:
    told = {name: _plain(value) for name, value in params.items()}
    start = time.perf_counter()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            estimator = _fitted(table, task, params)
    except Exception as error:  # whatever a method raises is its own failure, not that of the others
        seconds = time.perf_counter() - start
        return _Attempt(Trial(params=told, fit_seconds=seconds, error=sentence(error)))
    seconds = time.perf_counter() - start
    right = (
        _codes(estimator.model_.logits(table.stored(task.rows.validation))) == (table.y[task.rows.validation])
    )
    score = None
    if task.partition.members:
        score = float(find_rule(task.rule).scores(right[None], task.partition)[0])
    notes = dict.fromkeys([*map(str, getattr(estimator, "notes_", ())), *map(_warned, caught)])
    return _Attempt(Trial(params=told, score=score, fit_seconds=seconds), estimator, tuple(notes))


def _score(trial: Trial) -> float:
    """Return what to maximise: without cells there are no scores, and the usual parameters stay."""
    return -np.inf if trial.score is None else trial.score


def _fitted(table: FeatureTable, task: Job, params: Mapping[str, Any]) -> Method:
    words = words_for(table, task.method, task.concepts)
    estimator = make(task.method, head=table.head, random_state=task.seed, **words, **params)
    rows = task.shown
    stream = streams(table, rows.train, type(estimator), task.method, None)
    given = given_to_fit(table, rows, estimator, task.method, task.column, stream=stream)
    return estimator.fit(features(table, rows.train, stream=stream), table.labels(rows.train), **given)


def _codes(logits: Any) -> Ints:
    codes: Ints = logits.argmax(axis=1)
    return codes


def _selection(task: Job, estimator: Method) -> str:
    """Name the rule that chose among configurations, and the one by which each fit chose."""
    nothing = replace(task.rows, validation=task.rows.validation[:0])
    within = selection_of(estimator, nothing, "given" if _saw_the_split(task, estimator) else "train")
    if len(task.configurations) == 1:
        return within
    between = f"{task.rule} on {ON}"
    return between if within == "none" else f"{between}; each fit: {within}"


def _own_rows(task: Job, estimator: Method) -> list[str]:
    """Tell which validation rows a fit saw that others did not, and whether the same rows judged it."""
    if estimator.group_labels_used != "validation":
        return []
    if _saw_the_split(task, estimator):
        return [f"it was fitted on the {len(task.shown.validation)} rows of the given validation split"]
    notes = [f"it was fitted on the {len(task.rows.validation)} {ON}, for want of a validation split"]
    judged = f"its configurations were judged on the {ON}, on which it was also fitted"
    return notes if len(task.configurations) == 1 else [*notes, judged]


def _saw_the_split(task: Job, estimator: Method) -> bool:
    """Tell whether a fit saw the store's own validation split."""
    return estimator.group_labels_used == "validation" and task.shown is not task.rows


def _plain(value: Any) -> Any:
    """Return a parameter as JSON can tell it."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else repr(value)


def _warned(caught: warnings.WarningMessage) -> str:
    text = str(caught.message).strip()
    if issubclass(caught.category, EvenhandWarning):
        return text
    return f"{caught.category.__name__}: {text.splitlines()[0] if text else ''}"
