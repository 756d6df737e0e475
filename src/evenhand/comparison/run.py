"""Methods × seeds on one store: same features, same splits, same budget, one rule that chooses for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from evenhand._errors import EvenhandError
from evenhand._progress import Progress, silent
from evenhand._typing import Floats
from evenhand.comparison.assemble import Entry, assemble
from evenhand.comparison.job import Job, JobResult, judge, run_job, sentence
from evenhand.comparison.job_cache import UnitFiles, fingerprint, key_of
from evenhand.comparison.requirements import why_skipped
from evenhand.comparison.seal import write_sealed
from evenhand.comparison.workers import Workers, one_thread
from evenhand.data.concepts import Concepts
from evenhand.data.head import Head
from evenhand.data.partition import SplitRows, held_out, shown_to
from evenhand.data.splits import HELD_OUT
from evenhand.data.table import FeatureTable, as_table
from evenhand.evaluation.result_row import group_column
from evenhand.evaluation.results import Results, provenance
from evenhand.methods.registry import make, method_class, names
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import SHORTCUT_CELL, Rule, find_rule

BUDGET = 5
"""Configurations of each method at most."""


def compare(
    X: FeatureTable | Floats,
    y: Any = None,
    *,
    methods: Sequence[str] = ("all",),
    groups: Any = None,
    head: Head | None = None,
    seeds: Sequence[int] = range(5),
    selection: str = SHORTCUT_CELL.name,
    oracles: bool = False,
    concepts: Concepts | None = None,
    budget: int = BUDGET,
    group_by: str | None = None,
    jobs: int = 1,
    out: Path | None = None,
    progress: Progress = silent,
) -> Results:
    """Compare methods over seeds.

    For each seed a stratified fifth of the training rows is held out, the same for all methods. Every method
    fits the rest with its first `budget` configurations; one rule judges them on the held-out rows and
    picks one; the pick is evaluated on the test rows. Label-free methods see neither groups nor held-out
    rows; those that use validation groups see the store's validation split, or without one the held-out rows.
    Zero-shot and ERM are always among the methods: differences are to ERM's row.

    Parameters
    ----------
    X : FeatureTable, or array [N, D_in]
        A store's table, or embeddings in memory.
    y, groups, head : optional
        Labels [N], attributes and head of embeddings in memory, as in `FeatureTable.from_arrays`.
    methods : sequence of str
        Registry names, with a preset as in `cfr:paper`; `all` stands for every one without presets. An oracle
        that is named needs no `oracles`.
    seeds : sequence of int
        One row of results for each method and seed.
    selection : str
        Name of the rule that judges configurations.
    oracles : bool
        Whether methods, and the rule `worst_group`, may use group labels.
    concepts : Concepts, optional
        For methods that need words.
    budget : int
        Configurations of each method at most.
    group_by : str, optional
        Attribute that makes the groups; the first by default.
    jobs : int
        Processes, one thread each; 1 starts none. Results are the same for any number.
    out : Path, optional
        Folder for results.json and finished units, from which the same call resumes.
    progress : Progress
        Told of finished units.

    Raises
    ------
    EvenhandError
        If a method, a preset, the rule or `group_by` is unknown, no method is named, a number is out of
        range, the rule uses group labels without `oracles`, no rows can be held out, ERM fails, or `out` is
        no folder of a comparison.
    """
    table = as_table(X, y, groups=groups, head=head)
    rule = _rule(selection, oracles)
    if budget < 1 or not seeds:
        raise EvenhandError(
            f"budget is {budget} and there are {len(seeds)} seeds; give at least 1 of each to compare"
        )
    column = group_column(table, group_by)
    entries = _entries(methods, table, column=column, concepts=concepts, oracles=oracles)
    rows = {seed: held_out(table, seed) for seed in dict.fromkeys(seeds)}
    made = provenance(
        store=str(table.source.resolve()) if table.source else None,
        methods=[entry.name for entry in entries],
        seeds=list(rows),
        selection=rule.name,
        budget=budget,
        group_by=column,
        held_out=HELD_OUT,
    )
    running = [entry for entry in entries if entry.status == "ok"]
    total = len(rows) * (len(running) + 1)
    with one_thread(), UnitFiles(out) as files, Workers(table, min(jobs, total)) as workers:
        setting = _Setting(table, rule, column, concepts, rows, files, workers, made["versions"])
        judged: dict[int, HeldOutPredictions] = {}
        for seed, seen in setting.judged():
            judged[seed] = seen
            progress("compare", len(judged), total)
        cells = {seed: rule.partition(judged[seed]) for seed in rows}
        tasks = [
            Job(
                entry.name,
                seed,
                entry.configurations[:budget],
                rows[seed],
                shown_to(table, rows[seed], entry.group_labels_used),
                column,
                rule.name,
                cells[seed],
                concepts,
            )
            for seed in rows
            for entry in running
        ]
        units: dict[tuple[str, int], JobResult] = {}
        for unit in setting.units(tasks):
            units[unit.method, unit.seed] = unit
            progress("compare", len(judged) + len(units), total)
        results = assemble(table, entries, units, judged, rows=rows, rule=rule, column=column, made=made)
        if out is not None:
            write_sealed(results, out)
    return results


@dataclass(frozen=True)
class _Setting:
    """What all units share, where they are kept, and who does the work."""

    table: FeatureTable
    rule: Rule
    column: str | None
    concepts: Concepts | None
    rows: Mapping[int, SplitRows]
    files: UnitFiles
    workers: Workers
    versions: Mapping[str, str]

    @cached_property
    def _shared(self) -> dict[str, Any]:
        return {
            "table": fingerprint(self.table),
            "versions": self.versions,
            "rule": self.rule.name,
            "column": self.column,
            "words": self.concepts and (self.concepts.words, self.concepts.weights),
        }

    def judged(self) -> Iterator[tuple[int, HeldOutPredictions]]:
        """Yield each seed with what the rule may see of its held-out rows: kept ones, then new ones."""
        keys = {seed: key_of(seed=seed, **self._shared) for seed in self.rows}
        found = {seed: self.files.judged(seed, key) for seed, key in keys.items()}
        yield from ((seed, seen) for seed, seen in found.items() if seen is not None)
        tasks = [(seed, self.rows[seed], self.rule.name, self.column) for seed in keys if found[seed] is None]
        for (seed, *_), seen in self.workers.run(judge, tasks):
            self.files.keep_judged(seen, seed, keys[seed])
            yield seed, seen

    def units(self, tasks: Sequence[Job]) -> Iterator[JobResult]:
        """Yield the unit of each task: kept ones, then new ones as they end."""
        missing = []
        for task in tasks:
            found = self.files.unit(task.method, task.seed, self._key(task))
            if found is None:
                missing.append(task)
            else:
                yield found
        for task, unit in self.workers.run(run_job, missing):
            self.files.keep_unit(unit, self._key(task))
            yield unit

    def _key(self, task: Job) -> str:
        told = {"method": task.method, "seed": task.seed, "configurations": task.configurations}
        return key_of(**told, shown=task.shown.validation.tolist(), **self._shared)


def _rule(name: str, oracles: bool) -> Rule:
    rule = find_rule(name)
    if rule.group_labels_used != "none" and not oracles:
        raise EvenhandError(
            f"--selection {name} uses group labels ({rule.group_labels_used}); add --oracles, or choose a "
            f"label-free rule such as {SHORTCUT_CELL.name}"
        )
    return rule


def _entries(
    methods: Sequence[str],
    table: FeatureTable,
    *,
    column: str | None,
    concepts: Concepts | None,
    oracles: bool,
) -> list[Entry]:
    """Return the methods in the order asked for, zero-shot and ERM first if they were not asked for."""
    wanted = [name for asked in methods for name in (names() if asked == "all" else [asked])]
    known = names()
    if not wanted:
        raise EvenhandError(f"--methods names no method; the methods are {', '.join(known)}, or all")
    unknown = next((name for name in wanted if name.partition(":")[0] not in known), None)
    if unknown is not None:
        raise EvenhandError(f"method {unknown!r} is unknown; the methods are {', '.join(known)}, or all")
    for name in wanted:
        if ":" in name:
            make(name)  # an unknown preset is a slip of the pen, no failure of a method
    entries = []
    always = [name for name in ("zero_shot", "erm") if name not in wanted]
    for name in dict.fromkeys([*always, *wanted]):
        try:
            cls = method_class(name)
        except Exception as error:  # a plug-in that cannot be imported fails alone
            entries.append(Entry(name, "failed", sentence(error)))
            continue
        allowed = oracles or name in methods
        reason = why_skipped(cls, table, column=column, concepts=concepts, oracles=allowed)
        entries.append(
            Entry(
                name,
                "ok" if reason is None else "skipped",
                reason,
                cls.group_labels_used,
                tuple(cls.needs),
                tuple(cls.configurations),
            )
        )
    return entries
