"""Make the results of a comparison from its finished jobs: rows, differences to ERM, summary, winners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from evenhand._typing import Bools, Ints
from evenhand.comparison.better_on_test import above_kept
from evenhand.comparison.job import JobResult
from evenhand.comparison.requirements import Entry, Uses
from evenhand.comparison.winner import KEPT, pick_winner, winners_rows
from evenhand.data.labels import some
from evenhand.data.partition import SplitRows
from evenhand.data.table import FeatureTable
from evenhand.evaluation.evaluated_rows import EvaluatedRows
from evenhand.evaluation.over_test_rows import over_rows
from evenhand.evaluation.results import (
    KeptMethod,
    MethodSummary,
    ResultRow,
    Results,
    no_result,
    summarize,
)
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import Rule

Correct = Mapping[tuple[str, int], Bools]
"""Whether each test row is classified correctly, by (method, seed)."""


@dataclass(frozen=True)
class FinishedJobs:
    """The input of the results of a comparison.

    Attributes
    ----------
    table : FeatureTable
        The data, with its groups.
    entries : sequence of Entry
        The methods, in the order of the results.
    rows : mapping of seed to SplitRows
        Training, held-out and test rows; the test rows are the same for all seeds.
    rule : Rule
        The rule that scores on held-out rows.
    results : mapping of (method, seed) to JobResult
        The results of the methods that ran.
    held_out : mapping of seed to HeldOutPredictions
        Labels and reference predictions of the held-out rows.
    """

    table: FeatureTable
    entries: Sequence[Entry]
    rows: Mapping[int, SplitRows]
    rule: Rule
    results: Mapping[tuple[str, int], JobResult]
    held_out: Mapping[int, HeldOutPredictions]

    @cached_property
    def test(self) -> EvaluatedRows:
        """The test rows."""
        return EvaluatedRows.of(self.table, next(iter(self.rows.values())))

    @cached_property
    def correct(self) -> Correct:
        """Correctness of every job that succeeded."""
        y = self.test.y
        return {key: np.array(one.test) == y for key, one in self.results.items() if one.status == "ok"}


def assemble(jobs: FinishedJobs, provenance: dict[str, Any]) -> Results:
    """Return the results of all jobs; a method that did not run has a row with the reason."""
    rows = [_row(jobs, entry, seed) for entry in jobs.entries for seed in jobs.rows]
    winners = [_winner(jobs, seed) for seed in jobs.rows if ("erm", seed) in jobs.correct]
    return Results(
        schema=1,
        provenance=provenance,
        rows=rows,
        summary=[_with_intervals(one, jobs, jobs.correct) for one in summarize(rows)],
        kept_method=winners,
        kept_summary=_summary_of(winners, rows, jobs),
        notes=_notes(jobs),
    )


def _row(jobs: FinishedJobs, entry: Entry, seed: int) -> ResultRow:
    declared: dict[str, Any] = {
        "group_labels_used": _group_labels_used(entry, jobs.rule),
        "needs": list(entry.needs),
    }
    result = jobs.results.get((entry.name, seed))
    if result is None:
        status: Literal["skipped", "failed"] = "failed" if entry.status == "failed" else "skipped"
        return no_result(entry.name, seed, status, str(entry.reason)).model_copy(update=declared)
    grid = [trial.model_dump() for trial in result.grid]
    if result.status == "failed":
        row = no_result(entry.name, seed, "failed", str(result.reason))
        return row.model_copy(update={**declared, "grid": grid})
    return jobs.test.result_row(
        jobs.correct[entry.name, seed],
        jobs.correct.get(("erm", seed)),
        method=entry.name,
        seed=seed,
        selection=result.selection,
        kept=result.kept,
        grid=grid,
        fitted_on=result.fitted_on,
        fit_seconds=sum(trial.fit_seconds for trial in result.grid) + result.refit_seconds,
        figures=result.figures,
        notes=result.notes,
        **declared,
    )


def _group_labels_used(entry: Entry, rule: Rule) -> Uses:
    """Return where group labels enter: in the method, or in the choice among its configurations."""
    if entry.group_labels_used == "none" and len(entry.configurations) > 1:
        return rule.group_labels_used
    return entry.group_labels_used


def _winner(jobs: FinishedJobs, seed: int) -> KeptMethod:
    """Pick among the methods that use no group label and succeeded, and say which do better on test rows."""
    label_free = {
        entry.name: jobs.results[entry.name, seed]
        for entry in jobs.entries
        if entry.group_labels_used == "none" and (entry.name, seed) in jobs.correct
    }
    kept = pick_winner(label_free, jobs.held_out[seed], jobs.rule, seed)
    correct = {name: right for (name, of_seed), right in jobs.correct.items() if of_seed == seed}
    groups = jobs.test.group_codes
    cells, unit = (jobs.test.y, "class") if groups is None else (groups, "group")
    return kept.model_copy(update={"above": above_kept(kept.method, correct, cells, unit)})


def _summary_of(
    winners: Sequence[KeptMethod], rows: Sequence[ResultRow], jobs: FinishedJobs
) -> MethodSummary | None:
    """Summarize the winners of all seeds as if they were one method."""
    if not winners:
        return None
    correct = {(KEPT, one.seed): jobs.correct[one.method, one.seed] for one in winners}
    return _with_intervals(summarize(winners_rows(rows, winners))[0], jobs, {**jobs.correct, **correct})


def _with_intervals(summary: MethodSummary, jobs: FinishedJobs, correct: Correct) -> MethodSummary:
    """Add the means and intervals over test rows."""
    seeds = sorted(seed for name, seed in correct if name == summary.method and ("erm", seed) in correct)
    if not seeds:
        return summary
    own, erm = (np.stack([correct[name, seed] for seed in seeds]) for name in (summary.method, "erm"))
    over_test_rows = over_rows(own, erm, jobs.test.y, jobs.test.group_codes)
    return summary.model_copy(update={"over_test_rows": over_test_rows})


def _notes(jobs: FinishedJobs) -> list[str]:
    """Return notes about the data, one sentence each."""
    table, rows = jobs.table, next(iter(jobs.rows.values()))
    notes = []
    untested = _absent(table, rows.test)
    if untested:
        notes.append(f"no {rows.tested_on} row has the class {some(untested)}: its accuracy stays unknown")
    if rows.tested_on != "test":
        notes.append("the store has no test split: the validation split is evaluated")
    unseen = _absent(table, rows.validation)
    if unseen:
        notes.append(
            f"the class {some(unseen)} has too few training rows to hold one out: the choice does not see it"
        )
    return [*notes, *_group_notes(jobs, rows.tested_on)]


def _group_notes(jobs: FinishedJobs, split: str) -> list[str]:
    grouped, groups = jobs.table.grouped, jobs.test.group_codes
    if grouped is None or groups is None:
        return []
    notes = []
    unknown = int((groups < 0).sum())
    if unknown:
        of = f"{unknown} of {len(groups)} {split} rows"
        notes.append(f"{grouped.column!r} is unknown for {of}: they are in no group")
    empty = [name for code, name in enumerate(grouped.names) if not (groups == code).any()]
    if empty:
        notes.append(f"no {split} row is in the group {some(empty)}: averages over groups stay unknown")
    return notes


def _absent(table: FeatureTable, rows: Ints) -> list[str]:
    counts = np.bincount(table.y[rows], minlength=len(table.classes))
    return [name for name, count in zip(table.classes, counts, strict=True) if not count]
