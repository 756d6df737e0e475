"""`evenhand.compare`: methods × seeds on one table, with the same splits, budget and rule for all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evenhand._device_check import check_torch_device
from evenhand._errors import EvenhandError
from evenhand._progress import Progress, silent
from evenhand._typing import Floats, PathLike
from evenhand.comparison.assemble import FinishedJobs, assemble
from evenhand.comparison.job import JobResult
from evenhand.comparison.job_cache import JobCache
from evenhand.comparison.processes import Workers, one_thread
from evenhand.comparison.requirements import entries_of
from evenhand.comparison.schedule import Schedule
from evenhand.comparison.seal import write_sealed
from evenhand.data.concepts import Concepts
from evenhand.data.head import Head
from evenhand.data.partition import held_out
from evenhand.data.splits import HELD_OUT
from evenhand.data.table import FeatureTable, as_table
from evenhand.evaluation.results import Results, provenance
from evenhand.runs.group_use import check_use
from evenhand.runs.training import off_cpu
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import SHORTCUT_CELL, Rule, find_rule

BUDGET = 5
"""The largest number of configurations of each method."""


def compare(
    X: FeatureTable | Floats,
    y: Any = None,
    *,
    methods: str | Sequence[str] = ("all",),
    groups: Any = None,
    head: Head | None = None,
    seeds: Sequence[int] = range(5),
    selection: str = SHORTCUT_CELL.name,
    oracles: bool = False,
    concepts: Concepts | None = None,
    budget: int = BUDGET,
    group_by: str | None = None,
    jobs: int = 1,
    device: str = "cpu",
    out: PathLike | None = None,
    progress: Progress = silent,
) -> Results:
    """Compare methods over seeds, and pick the method to keep on each seed.

    For each seed, a stratified fifth of the training rows is held out, the same for all methods. Every method
    fits the rest with its first `budget` configurations. One rule scores them on the held-out rows. The best
    configuration is fitted again on all training rows, unless it is a checkpoint from before the end of its
    fit, and evaluated on the test rows. Label-free methods see no groups, and held-out rows only after the
    choice. Methods that use validation groups see the table's validation split, or the held-out rows without
    one. Zero-shot and ERM are always among the methods; differences are from ERM.

    Parameters
    ----------
    X : FeatureTable, or array [N, D_in]
        A table, as `load_store` returns it, or embeddings.
    y : array [N], optional
        Labels; required with embeddings, and not allowed with a table.
    methods : str or sequence of str, default=("all",)
        Registry names, with a preset as in `cfr:nearest`. `all` stands for every method without presets. An
        oracle that is named runs without `oracles`.
    groups : array [N] or mapping of str to arrays [N], optional
        Attributes of embeddings, as in `FeatureTable.from_arrays`.
    head : Head, optional
        Projection and prototypes of embeddings; the identity without text by default.
    seeds : sequence of int, default=range(5)
        Each gives one row of results per method.
    selection : str, default="shortcut_cell"
        Name of the rule that scores configurations and picks the method to keep.
    oracles : bool, default=False
        Whether methods and the rule `worst_group` may use group labels.
    concepts : Concepts, optional
        Embedded concept words, for methods that need words.
    budget : int, default=5
        Largest number of configurations of each method.
    group_by : str, optional
        Attribute that makes the groups, or several as `ground,time`; the first attribute by default.
    jobs : int, default=1
        Number of processes, with one thread each; 1 starts none. The results do not depend on it.
    device : str, default="cpu"
        Torch device of the fits, as in `fit`. Each process has its own copy of the features there.
    out : str or Path, optional
        Folder for results.json and finished jobs, from which the same call resumes.
    progress : Progress, optional
        Receives the number of finished jobs.

    Returns
    -------
    Results
        What results.json holds.

    Raises
    ------
    EvenhandError
        If a method, a preset, the rule or `group_by` is unknown; no method or seed is given; a number is out
        of range; the rule uses group labels without `oracles`; no rows can be held out; or `out` is not a
        folder of a comparison.

    Examples
    --------
    >>> import numpy
    >>> X, y = numpy.random.default_rng(0).normal(size=(60, 4)), ["cat", "dog"] * 30
    >>> results = compare(X, y, groups=["in", "out", "out"] * 20, methods=["zero_shot"], seeds=[0], budget=1)
    >>> [row.method for row in results.rows]
    ['erm', 'zero_shot']
    """
    check_torch_device(device)
    table = as_table(X, y, groups=groups, head=head)
    if isinstance(seeds, int):
        raise EvenhandError(f"seeds: give a sequence of seeds, such as range({seeds}), not a number")
    rule = _rule(selection, oracles)
    for name, count in (("budget", budget), ("seeds", len(seeds)), ("jobs", jobs)):
        if count < 1:
            raise EvenhandError(f"{name}: there must be at least 1, but there are {count}")
    table = table.with_groups(group_by)
    if rule.group_labels_used != "none" and table.grouped is not None:
        check_use(table.grouped, f"selection by {rule.name}")
    names = (methods,) if isinstance(methods, str) else methods
    entries = entries_of(names, table, concepts=concepts, oracles=oracles)
    rows = {seed: held_out(table, seed) for seed in dict.fromkeys(seeds)}
    made = provenance(
        store=table.place,
        methods=[entry.name for entry in entries],
        seeds=list(rows),
        selection=rule.name,
        budget=budget,
        group_by=table.grouped and table.grouped.column,
        held_out=HELD_OUT,
        **off_cpu(device),
    )
    running = [entry for entry in entries if entry.status == "ok"]
    total = len(rows) * (len(running) + 1)
    folder = None if out is None else Path(out)
    with one_thread(), JobCache(folder) as cache, Workers(table, min(jobs, total)) as workers:
        schedule = Schedule(table, rule, concepts, rows, cache, workers, made["versions"], device)
        known: dict[int, HeldOutPredictions] = {}
        for seed, found in schedule.held_out():
            known[seed] = found
            progress("compare", len(known), total)
        results: dict[tuple[str, int], JobResult] = {}
        for result in schedule.results(running, known, budget):
            results[result.method, result.seed] = result
            progress("compare", len(known) + len(results), total)
        compared = assemble(FinishedJobs(table, entries, rows, rule, results, known), made)
        if folder is not None:
            write_sealed(compared, folder)
    return compared


def _rule(name: str, oracles: bool) -> Rule:
    rule = find_rule(name)
    if rule.group_labels_used != "none" and not oracles:
        raise EvenhandError(
            f"selection: {name} uses group labels ({rule.group_labels_used}); add `oracles=True`, or choose "
            f"a label-free rule such as {SHORTCUT_CELL.name}"
        )
    return rule
