"""From the units of a comparison to its results: rows, differences to ERM, summary, and what to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from evenhand._typing import Bools, Ints
from evenhand.comparison.job import JobResult
from evenhand.comparison.winner import KEPT, kept_method, kept_rows
from evenhand.data.labels import some
from evenhand.data.partition import SplitRows
from evenhand.data.table import FeatureTable
from evenhand.evaluation.bootstrap import over_rows
from evenhand.evaluation.result_row import group_codes, group_names, result_row
from evenhand.evaluation.results import (
    KeptMethod,
    MethodSummary,
    ResultRow,
    Results,
    no_result,
    summarise,
)
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import Rule

Uses = Literal["none", "validation", "train"]


@dataclass(frozen=True)
class Entry:
    """A method of a comparison.

    Attributes
    ----------
    name : str
        In the registry.
    status, reason : str
        Whether it runs; if not, why.
    group_labels_used, needs, configurations
        As the method declares them.
    """

    name: str
    status: Literal["ok", "skipped", "failed"]
    reason: str | None
    group_labels_used: Uses = "none"
    needs: tuple[str, ...] = ()
    configurations: tuple[Mapping[str, Any], ...] = ()


Units = Mapping[tuple[str, int], JobResult]


def assemble(
    table: FeatureTable,
    entries: Sequence[Entry],
    units: Units,
    judged: Mapping[int, HeldOutPredictions],
    *,
    rows: Mapping[int, SplitRows],
    rule: Rule,
    column: str | None,
    made: dict[str, Any],
) -> Results:
    """Return the results of all units; what is missing is a row with its reason.

    Parameters
    ----------
    table : FeatureTable
        The store.
    entries : sequence of Entry
        Methods in the order of the results.
    units : mapping of (method, seed) to JobResult
        Of the methods that ran.
    judged : mapping of seed to HeldOutPredictions
        What the rule saw of the held-out rows.
    rows : mapping of seed to SplitRows
        Which rows trained, chose and tested.
    rule, column
        Who chose, and what makes groups.
    made : dict
        Provenance.
    """
    right = {
        (name, seed): np.array(unit.test) == table.y[rows[seed].test]
        for (name, seed), unit in units.items()
        if unit.status == "ok"
    }
    found = [
        _row(table, entry, units.get((entry.name, seed)), rows[seed], right, rule, column, seed)
        for entry in entries
        for seed in rows
    ]
    kept = [_kept(entries, units, judged[seed], rule, seed) for seed in rows if ("erm", seed) in right]
    test = next(iter(rows.values())).test
    groups = group_codes(table, column, test)
    summary = [_over(one, one.method, right, table.y[test], groups) for one in summarise(found)]
    return Results(
        schema=1,
        provenance=made,
        rows=found,
        summary=summary,
        kept_method=kept,
        kept_summary=_of_kept(found, kept, right, table.y[test], groups),
        notes=_notes(table, rows, column),
    )


def _row(
    table: FeatureTable,
    entry: Entry,
    unit: JobResult | None,
    rows: SplitRows,
    right: Mapping[tuple[str, int], Bools],
    rule: Rule,
    column: str | None,
    seed: int,
) -> ResultRow:
    declared: dict[str, Any] = {"group_labels_used": _uses(entry, rule), "needs": list(entry.needs)}
    if unit is not None and unit.status == "ok":
        return result_row(
            table,
            rows,
            right[entry.name, seed],
            right.get(("erm", seed)),
            column=column,
            method=entry.name,
            seed=seed,
            selection=unit.selection,
            kept=unit.kept,
            grid=[trial.model_dump() for trial in unit.grid],
            fit_seconds=sum(trial.fit_seconds for trial in unit.grid),
            notes=unit.notes,
            **declared,
        )
    if unit is None:
        row = no_result(
            entry.name, seed, "failed" if entry.status == "failed" else "skipped", str(entry.reason)
        )
    else:
        row = no_result(entry.name, seed, "failed", str(unit.reason))
        row.grid = [trial.model_dump() for trial in unit.grid]
    return row.model_copy(update=declared)


def _uses(entry: Entry, rule: Rule) -> Uses:
    """Return where group labels entered: in the method, or in the choice among its configurations."""
    chosen = len(entry.configurations) > 1
    return rule.group_labels_used if entry.group_labels_used == "none" and chosen else entry.group_labels_used


def _kept(
    entries: Sequence[Entry], units: Units, judged: HeldOutPredictions, rule: Rule, seed: int
) -> KeptMethod:
    """Decide among the methods that no group label touched."""
    ran = {
        entry.name: unit
        for entry in entries
        if entry.group_labels_used == "none"
        if (unit := units.get((entry.name, seed))) is not None and unit.status == "ok"
    }
    return kept_method(ran, judged, rule, seed)


def _of_kept(
    rows: Sequence[ResultRow],
    kept: Sequence[KeptMethod],
    right: Mapping[tuple[str, int], Bools],
    y: Ints,
    groups: Ints | None,
) -> MethodSummary | None:
    """Summarise the method that was kept on each seed as if it were one method."""
    if not kept:
        return None
    by_seed = {(KEPT, one.seed): right[one.method, one.seed] for one in kept}
    return _over(summarise(kept_rows(rows, kept))[0], KEPT, {**right, **by_seed}, y, groups)


def _over(
    summary: MethodSummary,
    method: str,
    right: Mapping[tuple[str, int], Bools],
    y: Ints,
    groups: Ints | None,
) -> MethodSummary:
    """Add what is uncertain because the test rows are a sample."""
    seeds = sorted(seed for name, seed in right if name == method and ("erm", seed) in right)
    if not seeds:
        return summary
    own, erm = (np.stack([right[name, seed] for seed in seeds]) for name in (method, "erm"))
    return summary.model_copy(update={"over_test_rows": over_rows(own, erm, y, groups)})


def _notes(table: FeatureTable, rows: Mapping[int, SplitRows], column: str | None) -> list[str]:
    """Return what the user should know of the store, one sentence each."""
    first = next(iter(rows.values()))
    notes = []
    untested = _absent(table, first.test)
    if untested:
        notes.append(f"no {first.tested_on} row has the class {some(untested)}: its accuracy stays unknown")
    if first.tested_on != "test":
        notes.append("the store has no test split: the validation split is evaluated")
    unseen = _absent(table, first.validation)
    if unseen:
        notes.append(
            f"the class {some(unseen)} has too few training rows to hold one out: the choice does not see it"
        )
    return [*notes, *([] if column is None else _group_notes(table, first, column))]


def _group_notes(table: FeatureTable, rows: SplitRows, column: str) -> list[str]:
    notes = []
    codes = group_codes(table, column, rows.test)
    assert codes is not None
    unknown = int((codes < 0).sum())
    if unknown:
        notes.append(
            f"{column!r} is unknown for {unknown} of {len(codes)} {rows.tested_on} rows: they are in no group"
        )
    empty = [name for code, name in enumerate(group_names(table, column)) if not (codes == code).any()]
    if empty:
        notes.append(
            f"no {rows.tested_on} row is in the group {some(empty)}: averages over groups stay unknown"
        )
    return notes


def _absent(table: FeatureTable, rows: Ints) -> list[str]:
    counts = np.bincount(table.y[rows], minlength=len(table.classes))
    return [name for name, count in zip(table.classes, counts, strict=True) if not count]
