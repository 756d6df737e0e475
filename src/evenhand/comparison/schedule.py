"""The jobs of a comparison: which are done, and in what order the workers run the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from evenhand.comparison.job import Job, JobResult, predict_held_out, run_job
from evenhand.comparison.job_cache import SCHEMA, JobCache
from evenhand.comparison.processes import Workers
from evenhand.comparison.requirements import Entry
from evenhand.data.cached import fingerprint, key_of
from evenhand.data.concepts import Concepts
from evenhand.data.partition import SplitRows, shown_to
from evenhand.data.table import FeatureTable
from evenhand.runs.training import off_cpu
from evenhand.selection.held_out import HeldOutPredictions
from evenhand.selection.rules import Rule


@dataclass(frozen=True)
class Schedule:
    """What all jobs share, the cache of the finished ones, and the workers that run the others."""

    table: FeatureTable
    rule: Rule
    concepts: Concepts | None
    rows: Mapping[int, SplitRows]
    cache: JobCache
    workers: Workers
    versions: Mapping[str, str]
    device: str

    @cached_property
    def _shared(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "table": fingerprint(self.table),
            "versions": self.versions,
            "rule": self.rule.name,
            "column": self.table.grouped and self.table.grouped.column,
            "words": self.concepts and (self.concepts.words, self.concepts.weights),
        }

    def held_out(self) -> Iterator[tuple[int, HeldOutPredictions]]:
        """Yield each seed with what the rule may see of its held-out rows; stored ones come first."""
        keys = {seed: key_of(seed=seed, **self._shared) for seed in self.rows}
        stored = {seed: self.cache.held_out(seed, key) for seed, key in keys.items()}
        yield from ((seed, found) for seed, found in stored.items() if found is not None)
        tasks = [(seed, self.rows[seed], self.rule.name) for seed in keys if stored[seed] is None]
        for (seed, *_), found in self.workers.run(predict_held_out, tasks):
            self.cache.store_held_out(found, seed, keys[seed])
            yield seed, found

    def results(
        self, entries: Sequence[Entry], known: Mapping[int, HeldOutPredictions], budget: int
    ) -> Iterator[JobResult]:
        """Yield the result of each method on each seed; stored ones come first, the others as they end."""
        missing = []
        for job in self._jobs(entries, known, budget):
            stored = self.cache.result(job.method, job.seed, self._key(job))
            if stored is None:
                missing.append(job)
            else:
                yield stored
        for job, result in self.workers.run(run_job, missing):
            self.cache.store_result(result, self._key(job))
            yield result

    def _jobs(
        self, entries: Sequence[Entry], known: Mapping[int, HeldOutPredictions], budget: int
    ) -> Iterator[Job]:
        for seed, rows in self.rows.items():
            cells = self.rule.partition(known[seed])
            for entry in entries:
                yield Job(
                    entry.name,
                    seed,
                    entry.configurations[:budget],
                    rows,
                    shown_to(self.table, rows, entry.group_labels_used),
                    self.rule.name,
                    cells,
                    self.concepts,
                    self.device,
                )

    def _key(self, job: Job) -> str:
        own: dict[str, Any] = {
            "method": job.method,
            "seed": job.seed,
            "configurations": job.configurations,
            "refit": True,
            **off_cpu(job.device),
        }
        return key_of(**own, shown=job.fit_rows.validation.tolist(), **self._shared)
