"""results.json: one row per method and seed, a summary over seeds, and where it all came from."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.stats import t

from evenhand._files import atomic
from evenhand._typing import PathLike
from evenhand.evaluation.metrics import Averages, Rate


class Difference(BaseModel):
    """A paired difference with its 95 % bootstrap interval over test rows."""

    value: float
    low: float
    high: float


class Confidence(BaseModel):
    """A temperature that divides all logits, and the expected calibration error on the test rows.

    n rows, `found_on`, gave the temperature, of which the model gets `errors` wrong; without errors it is 1.
    The calibration error is over `bins` bins of equal width of the largest probability, weighted by rows.
    """

    temperature: float
    n: int
    errors: int
    found_on: str
    bins: int
    ece_before: float
    ece_after: float


class ResultRow(BaseModel):
    """One method on one seed.

    `kept` tells what a method that chooses has kept. That of `auto` holds `candidate`, `baseline` and
    `runner_up` with `gain`, `low`, `runner_up_gain` and `runner_up_low` over the baseline; the verdicts
    `shortcut` (found, no sign, cannot tell) and `repair` (passed, none passed, none needed) with
    `shortcut_reason`, `repair_reason` and `next_step`; and `diagnostics`, the figures of
    `selection.reading.Reading`. That of `cfr` is `selection.evidence.Choice`.
    """

    method: str
    seed: int
    status: Literal["ok", "skipped", "failed"] = "ok"
    reason: str | None = None
    group_labels_used: Literal["none", "validation", "train"] = "none"
    needs: list[str] = []
    selection: str | None = None
    kept: dict[str, Any] | None = None
    split: str = "test"
    worst_group: Rate | None = None
    worst_class: Rate | None = None
    averages: Averages
    gap: float | None = None
    classes: list[Rate] = []
    cells: list[Rate] = []
    groups: list[Rate] = []
    difference_to_erm: Difference | None = None
    confidence: Confidence | None = None
    grid: list[dict[str, Any]] = []
    fit_seconds: float | None = None
    notes: list[str] = []


class SeedInterval(BaseModel):
    """Mean over seeds with the 95 % t-interval over seeds; low and high are None for one seed."""

    mean: float
    low: float | None
    high: float | None
    seeds: int


class RowInterval(BaseModel):
    """Mean over seeds with its 95 % bootstrap interval over test rows, the same rows for all seeds."""

    value: float
    low: float
    high: float


class OverRows(BaseModel):
    """A method over its seeds; intervals are over test rows. `erm` is that of the same seeds and rows."""

    worst_group: RowInterval | None
    worst_class: RowInterval
    plain: RowInterval
    difference_to_erm: RowInterval | None


class MethodSummary(BaseModel):
    """A method over its seeds; intervals are over seeds, those of `over_test_rows` over test rows."""

    method: str
    worst_group: SeedInterval | None
    worst_class: SeedInterval | None
    plain: SeedInterval | None
    fit_seconds: SeedInterval | None
    difference_to_erm: SeedInterval | None = None
    over_test_rows: OverRows | None = None


class KeptMethod(BaseModel):
    """The method that is kept on one seed, on evidence from training rows.

    `against` is the baseline that the others had to beat: `auto`, or `erm` where `auto` did not run. `gain`,
    `low`, `chance`, `trusted_gain` and `retention` are those of the best admissible method in the rule
    against the baseline, `testimony` is what zero-shot says of the shortcut probe, as
    `selection.evidence.Choice` tells them; `among` names who was looked at.
    """

    seed: int
    method: str
    against: str
    rule: str
    group_labels_used: Literal["none", "validation", "train"]
    among: list[str]
    gain: float | None
    low: float | None
    chance: float | None
    trusted_gain: float | None
    retention: float | None
    testimony: dict[str, float] | None
    rows: int
    reason: str


class Results(BaseModel):
    """The whole file."""

    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    provenance: dict[str, Any]
    rows: list[ResultRow]
    summary: list[MethodSummary]
    kept_method: list[KeptMethod] = []
    kept_summary: MethodSummary | None = None
    notes: list[str] = []

    def write(self, path: PathLike) -> None:
        """Write the file whole or not at all."""
        with atomic(Path(path)) as temporary:
            text = json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")


def no_result(method: str, seed: int, status: Literal["skipped", "failed"], reason: str) -> ResultRow:
    """Return the row of a method that gave no figures."""
    unknown = Averages(plain=None, train_weighted=None, group_mean=None, class_mean=None)
    return ResultRow(method=method, seed=seed, status=status, reason=reason, averages=unknown)


def summarise(rows: Sequence[ResultRow]) -> list[MethodSummary]:
    """Summarise over seeds, methods in order of appearance."""
    summary = []
    for method in dict.fromkeys(row.method for row in rows):
        done = [row for row in rows if row.method == method and row.status == "ok"]
        summary.append(
            MethodSummary(
                method=method,
                worst_group=_over_seeds([r.worst_group.value if r.worst_group else None for r in done]),
                worst_class=_over_seeds([r.worst_class.value if r.worst_class else None for r in done]),
                plain=_over_seeds([r.averages.plain for r in done]),
                fit_seconds=_over_seeds([r.fit_seconds for r in done]),
                difference_to_erm=_over_seeds(
                    [r.difference_to_erm.value if r.difference_to_erm else None for r in done]
                ),
            )
        )
    return summary


def provenance(**extra: Any) -> dict[str, Any]:
    """Return the command, the versions that matter and `extra`."""
    packages = ("evenhand", "torch", "open_clip_torch", "numpy", "scikit-learn")
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        **extra,
    }


def results_schema() -> dict[str, Any]:
    """Return the JSON Schema that ships with the package."""
    text = resources.files("evenhand.evaluation").joinpath("results.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _over_seeds(values: Sequence[float | None]) -> SeedInterval | None:
    known = [v for v in values if v is not None]
    if not known:
        return None
    mean = float(np.mean(known))
    if len(known) == 1:
        return SeedInterval(mean=mean, low=None, high=None, seeds=1)
    spread = float(t.ppf(0.975, len(known) - 1) * np.std(known, ddof=1) / np.sqrt(len(known)))
    return SeedInterval(mean=mean, low=mean - spread, high=mean + spread, seeds=len(known))
