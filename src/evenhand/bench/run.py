"""`evenhand bench`: embed a benchmark once, compare methods over seeds, and add the published figures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from evenhand._files import atomic
from evenhand._outputs import RESULTS
from evenhand._progress import Progress, silent
from evenhand.backbones.base import Backbone
from evenhand.backbones.concepts import embed_concepts
from evenhand.bench.published import Published, published
from evenhand.comparison.run import compare
from evenhand.comparison.winner import winners_rows
from evenhand.data.concepts import ConceptWords
from evenhand.data.group_by import check_group_by
from evenhand.data.manifest import Manifest
from evenhand.data.table import FeatureTable
from evenhand.datasets.base import Average, Dataset
from evenhand.evaluation.results import ResultRow, Results
from evenhand.extract.embed_images import embed
from evenhand.methods.registry import method_class, names

PROTOCOL = ("zero_shot", "erm", "dfr", "cfr:published-code", "cfr", "auto")
"""The methods of the paper, CFR as published and with our defaults, and auto; they come before all others."""


class Spread(BaseModel):
    """Mean and standard deviation (n − 1) over seeds; the deviation is None for one seed."""

    mean: float
    sd: float | None


class BenchmarkRow(BaseModel):
    """One method over its seeds, as papers report it; accuracies are fractions of the test rows."""

    method: str
    group_labels_used: str
    seeds: int
    worst_group: Spread | None
    average: Spread | None
    gap: Spread | None
    reason: str | None = None


class Bench(BaseModel):
    """The content of bench.json.

    Attributes
    ----------
    dataset, title, backbone : str
        Registry name and title of the benchmark, and name of the model.
    average : str
        Which of the four averages `lines` have: the one that the benchmark's papers report.
    sizes : dict of str to int
        Number of rows by split, and of training rows by group.
    lines : list of BenchmarkRow
        Our figures over seeds; the last line is for the methods that evenhand keeps.
    published : list of Published
        Published figures.
    seconds : dict of str to float
        Wall time of "embed" and "compare" in this call; a finished store takes hardly any.
    notes : list of str
        Notes about the data, one sentence each.
    results : Results
        The comparison, one row per method and seed.
    """

    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    dataset: str
    title: str
    backbone: str
    average: Average
    sizes: dict[str, int]
    lines: list[BenchmarkRow]
    published: list[Published]
    seconds: dict[str, float]
    notes: list[str]
    results: Results


def run_bench(
    name: str,
    dataset: Dataset,
    manifest: Manifest,
    backbone: Backbone,
    out: Path,
    *,
    methods: Sequence[str] | None = None,
    seeds: Sequence[int] = range(5),
    group_by: str | None = None,
    concepts: ConceptWords | None = None,
    jobs: int = 1,
    batch_size: int = 64,
    workers: int | None = None,
    progress: Progress = silent,
) -> Bench:
    """Embed a loaded benchmark into `out/NAME.store`, compare the methods, write results.json and bench.json.

    Parameters
    ----------
    name : str
        Registry name of the benchmark.
    dataset, manifest : Dataset, Manifest
        The benchmark, and the manifest that it loaded.
    backbone : Backbone
        The frozen model.
    out : Path
        Folder to write; the same call resumes there.
    methods : sequence of str, optional
        Registry names; by default `PROTOCOL`, then all others.
    seeds : sequence of int, default=range(5)
        Each gives one row of results per method.
    group_by : str, optional
        Attribute that makes the groups, or several as `ground,time`; by default, the benchmark's own.
    concepts : ConceptWords, optional
        Words for the spurious attribute; without them, methods that need words are skipped.
    jobs : int, default=1
        As in `compare`.
    batch_size, workers : int, default=64, None
        As in `embed`.
    progress : Progress, optional
        Receives the progress of both stages.

    Raises
    ------
    EvenhandError
        If a method or `group_by` is unknown, or `out` holds the store of another model or recipe.
    """
    methods = methods or [*PROTOCOL, *(name for name in names() if name not in PROTOCOL)]
    for method in methods:
        method_class(method)
    # A wrong name is reported before anything is embedded.
    check_group_by(group_by, manifest.attributes, what="this manifest")
    seconds: dict[str, float] = {}
    with _timed(seconds, "embed"):
        table = embed(
            manifest,
            backbone,
            out / f"{name}.store",
            prompts=dataset.prompts(),
            batch_size=batch_size,
            workers=workers,
            progress=progress,
        )
    table = table.with_groups(group_by)
    with _timed(seconds, "compare"):
        results = compare(
            table,
            methods=methods,
            seeds=seeds,
            oracles=True,
            group_by=group_by,
            concepts=None if concepts is None else embed_concepts(concepts, table.classes, backbone),
            jobs=jobs,
            out=out / "compare",
            progress=progress,
        )
    results.write(out / RESULTS)
    made = Bench(
        schema=1,
        dataset=name,
        title=dataset.title,
        backbone=str(table.card["model"]),
        average=dataset.average,
        sizes=_sizes(table),
        lines=lines([*results.rows, *winners_rows(results.rows, results.kept_method)], dataset.average),
        published=published(name),
        seconds=seconds,
        notes=list(manifest.notes),
        results=results,
    )
    with atomic(out / "bench.json") as temporary:
        temporary.write_text(made.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")
    return made


def lines(rows: Sequence[ResultRow], average: Average) -> list[BenchmarkRow]:
    """Return one line per method, in order of appearance, over the seeds with status ok."""
    found = []
    for method in dict.fromkeys(row.method for row in rows):
        mine = [row for row in rows if row.method == method]
        done = [row for row in mine if row.status == "ok"]
        found.append(
            BenchmarkRow(
                method=method,
                group_labels_used=mine[0].group_labels_used,
                seeds=len(done),
                worst_group=_spread([row.worst_group.value if row.worst_group else None for row in done]),
                average=_spread([getattr(row.averages, average) for row in done]),
                gap=_spread([_gap(row, average) for row in done]),
                reason=next((f"{row.status}: {row.reason}" for row in mine if row.status != "ok"), None),
            )
        )
    return found


def _gap(row: ResultRow, average: Average) -> float | None:
    """Return the average minus the worst group, the paper's measure of reliance on the shortcut."""
    value, worst = getattr(row.averages, average), row.worst_group and row.worst_group.value
    return None if value is None or worst is None else float(value - worst)


def _spread(values: Sequence[float | None]) -> Spread | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(mean=float(np.mean(known)), sd=float(np.std(known, ddof=1)) if len(known) > 1 else None)


def _sizes(table: FeatureTable) -> dict[str, int]:
    sizes = Counter(str(split) for split in table.split)
    if table.grouped is not None:
        sizes += Counter(f"train, {group}" for group in table.grouped.of(table.rows("train")))
    return dict(sizes)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
