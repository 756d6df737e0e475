"""One job of a comparison: one method on one seed, whose configurations one rule scores on held-out rows."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from evenhand._errors import EvenhandError, EvenhandWarning
from evenhand.comparison.states import States, codes
from evenhand.data.concepts import Concepts
from evenhand.data.partition import SplitRows
from evenhand.data.table import FeatureTable
from evenhand.evaluation.evaluated_rows import EvaluatedRows
from evenhand.evaluation.metrics import Figure, Figures
from evenhand.methods.base import Method, Model
from evenhand.methods.cfr.held_out import held_out_predictions
from evenhand.runs.training import fit_arguments, off_cpu, selection_of, unfitted
from evenhand.selection.cells import Partition
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import find_rule

HELD_OUT_ROWS = "held-out training rows"
BASELINE = "auto"
"""Its fit decides between zero-shot, ERM and its own candidates; other methods must beat what it keeps."""


@dataclass(frozen=True)
class Job:
    """The input of a job besides the table.

    Attributes
    ----------
    method, seed : str, int
        The method, and the seed of its fits.
    configurations : tuple of mappings
        Parameters to try; ties go to the first.
    rows : SplitRows
        Training, held-out (`validation`) and test rows. Label-free methods never see the held-out rows.
    fit_rows : SplitRows
        The same, but with the validation rows that the fits of this method may see.
    rule : str
        Name of the rule that scores configurations.
    cells : Partition
        The cells of this rule on the held-out rows.
    concepts : Concepts, optional
        Embedded concept words, for methods that need them.
    device : str, default="cpu"
        Torch device of the fits.
    """

    method: str
    seed: int
    configurations: tuple[Mapping[str, Any], ...]
    rows: SplitRows
    fit_rows: SplitRows
    rule: str
    cells: Partition
    concepts: Concepts | None = None
    device: str = "cpu"


class Trial(BaseModel):
    """One configuration: its score on held-out rows and the seconds of its fit, or why it failed.

    Attributes
    ----------
    epoch : int or None
        The epoch whose state has the score; None for the end of the fit.
    states : int
        States of the fit that were scored, its end included.
    """

    params: dict[str, Any]
    score: float | None = None
    fit_seconds: float
    error: str | None = None
    picked: bool = False
    epoch: int | None = None
    states: int = 1


class JobResult(BaseModel):
    """The result of a job: its trials, and the predictions of the configuration that was picked.

    Attributes
    ----------
    fitted_on : str or None
        The rows that trained what predicts the test rows.
    refit_seconds : float
        Seconds of a fit of the picked configuration on all training rows.
    test, held_out : list of int
        Class codes that the picked configuration predicts on test rows, fitted on all training rows where
        that is sound, and on held-out rows, which have not trained it.
    figures : dict
        Its figures on the test rows, besides accuracy.
    logits : list of lists of float, or None
        Its logits of the held-out rows, for `erm` and `auto` only: the baselines of a comparison.
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
    fitted_on: str | None = None
    refit_seconds: float = 0.0
    test: list[int] = []
    held_out: list[int] = []
    figures: dict[Figure, Figures] = {}
    logits: list[list[float]] | None = None


def run_job(table: FeatureTable, job: Job) -> JobResult:
    """Fit every configuration and return the predictions of the best; a failure is a result, not an error."""
    attempts = [_attempt(table, job, params) for params in job.configurations]
    grid = [attempt.trial for attempt in attempts]
    fitted = [attempt for attempt in attempts if attempt.estimator is not None]
    if not fitted:
        return JobResult(method=job.method, seed=job.seed, status="failed", reason=grid[0].error, grid=grid)
    pick = max(fitted, key=lambda attempt: _score(attempt.trial))
    pick.trial.picked = True
    assert pick.estimator is not None
    logits = pick.estimator.model_.logits(table.stored(job.rows.validation))
    start = time.perf_counter()
    final, fitted_on = _refitted(table, job, pick)
    refit_seconds = time.perf_counter() - start
    estimator = final.estimator
    assert estimator is not None
    on_test = estimator.model_.logits(table.stored(job.rows.test))
    test = codes(on_test)
    return JobResult(
        method=job.method,
        seed=job.seed,
        status="ok",
        selection=_selection(job, estimator, pick.trial.states),
        kept=estimator.kept_,
        notes=[*final.notes, *_validation_notes(job, estimator)],
        grid=grid,
        fitted_on=fitted_on,
        refit_seconds=refit_seconds,
        test=test.tolist(),
        held_out=codes(logits).tolist(),
        figures=EvaluatedRows.of(table, job.rows).figures(test, on_test),
        logits=logits.tolist() if job.method in ("erm", BASELINE) else None,
    )


def predict_held_out(table: FeatureTable, task: tuple[int, SplitRows, str]) -> HeldOutPredictions:
    """Return what a rule may see of the held-out rows, for a task (seed, rows, name of the rule)."""
    seed, rows, name = task
    rule = find_rule(name)
    _, erm = unfitted("erm", table, seed, {}, None)
    given = fit_arguments(table, rows, erm, "erm")
    X_val, _ = given["validation"]
    found = held_out_predictions(
        given["X"], table.y[rows.train], X_val, table.y[rows.validation], table.head, rule, seed
    )
    if rule.group_labels_used == "none" or table.grouped is None:
        return found
    values, codes = np.unique(table.grouped.values[rows.validation], return_inverse=True)
    return replace(found, groups=np.where(values[codes] == "", -1, codes))


def sentence(error: Exception) -> str:
    """Return an error as one line; an unexpected one is preceded by its type."""
    text = " ".join(str(error).split())
    return text if isinstance(error, EvenhandError) else f"{type(error).__name__}: {text}"


@dataclass(frozen=True)
class _Attempt:
    """The outcome of one configuration; the estimator is None if its fit failed."""

    params: Mapping[str, Any]
    trial: Trial
    estimator: Method | None = None
    notes: tuple[str, ...] = ()


def _attempt(table: FeatureTable, job: Job, params: Mapping[str, Any]) -> _Attempt:
    shown = {name: _plain(value) for name, value in params.items()}
    states = States(table, job.rows.validation, job.rule, job.cells)
    start = time.perf_counter()
    try:
        estimator, notes = _fitted(table, job, job.fit_rows, params, states.look)
    except Exception as error:  # whatever one method raises must not end the others
        seconds = time.perf_counter() - start
        return _Attempt(params, Trial(params=shown, fit_seconds=seconds, error=sentence(error)))
    seconds = time.perf_counter() - start
    best = states.best(estimator.model_)
    estimator.model_ = best.model
    trial = Trial(
        params=shown, score=best.score, fit_seconds=seconds, epoch=best.epoch, states=states.seen + 1
    )
    return _Attempt(params, trial, estimator, notes)


def _fitted(
    table: FeatureTable,
    job: Job,
    rows: SplitRows,
    params: Mapping[str, Any],
    look: Callable[[int, Model], None] | None,
) -> tuple[Method, tuple[str, ...]]:
    """Return the fitted method and its notes, warnings among them."""
    name, estimator = unfitted(job.method, table, job.seed, params, job.concepts)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        arguments = fit_arguments(table, rows, estimator, name)
        estimator.fit(**arguments, on_checkpoint=look, **off_cpu(job.device))
    notes = dict.fromkeys([*map(str, getattr(estimator, "notes_", ())), *map(_warning_text, caught)])
    return estimator, tuple(notes)


def _refitted(table: FeatureTable, job: Job, pick: _Attempt) -> tuple[_Attempt, str]:
    """Return the pick fitted again on all training rows, where that is sound, and what it was fitted on.

    After the choice, the held-out rows may train too. A state before the end of a fit is not fitted again: it
    was chosen on the held-out rows, and the same epoch of another fit may be another model.
    """
    estimator, trial = pick.estimator, pick.trial
    assert estimator is not None
    part = f"{len(job.rows.train)} training rows"
    if estimator.group_labels_used == "validation" and not _saw_the_split(job, estimator):
        return pick, f"{part}; the other {len(job.rows.validation)} are its validation rows"
    if trial.epoch is not None:
        return pick, f"{part}; its checkpoint after epoch {trial.epoch} was chosen on the others"
    everything = table.rows("train")
    given = job.fit_rows.validation if _saw_the_split(job, estimator) else everything[:0]
    rows = replace(job.rows, train=everything, validation=given)
    try:
        again, notes = _fitted(table, job, rows, pick.params, None)
    except Exception as error:  # the first fit is still there
        return pick, f"{part}; a second fit, on all rows, failed: {sentence(error)}"
    return replace(pick, estimator=again, notes=notes), f"all {len(everything)} training rows"


def _score(trial: Trial) -> float:
    """Return the score to maximize; without cells there are no scores, and the first configuration wins."""
    return -np.inf if trial.score is None else trial.score


def _selection(job: Job, estimator: Method, states: int) -> str:
    """Name the rule that chose among configurations and states, and the rule by which each fit chose."""
    within = selection_of(estimator, job.fit_rows, "given" if _saw_the_split(job, estimator) else "train")
    if len(job.configurations) == 1 and states == 1:
        return within
    between = f"{job.rule} on {HELD_OUT_ROWS}"
    return between if within == "none" else f"{between}; each fit: {within}"


def _validation_notes(job: Job, estimator: Method) -> list[str]:
    """Say which validation rows a fit saw that other methods did not, and whether they also scored it."""
    if estimator.group_labels_used != "validation":
        return []
    if _saw_the_split(job, estimator):
        return [f"it was fitted on the {len(job.fit_rows.validation)} rows of the given validation split"]
    fitted_on = (
        f"it was fitted on the {len(job.rows.validation)} {HELD_OUT_ROWS}, since there is no validation split"
    )
    scored_on = f"its configurations were scored on the {HELD_OUT_ROWS}, on which it was also fitted"
    return [fitted_on] if len(job.configurations) == 1 else [fitted_on, scored_on]


def _saw_the_split(job: Job, estimator: Method) -> bool:
    """Return whether a fit saw the table's own validation split."""
    return estimator.group_labels_used == "validation" and job.fit_rows is not job.rows


def _plain(value: Any) -> Any:
    """Return a parameter as JSON can hold it."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else repr(value)


def _warning_text(caught: warnings.WarningMessage) -> str:
    text = str(caught.message).strip()
    if issubclass(caught.category, EvenhandWarning):
        return text
    return f"{caught.category.__name__}: {text.splitlines()[0] if text else ''}"
