"""results.json: one row per method and seed, a summary over seeds, and the provenance."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from evenhand._files import atomic
from evenhand._typing import PathLike
from evenhand.data.estimated import EstimatedColumn
from evenhand.evaluation.accuracy import Averages, Rate
from evenhand.evaluation.metrics import Figure, Figures
from evenhand.evaluation.results_html import row_html, rows_html
from evenhand.evaluation.verdict_sentences import verdict_sentences
from evenhand.functional.intervals import t_interval


class Difference(BaseModel):
    """A paired difference with its 95 % bootstrap interval over test rows."""

    value: float
    low: float
    high: float


class Confidence(BaseModel):
    """A temperature that divides all logits, and the expected calibration error on the test rows.

    The temperature was fitted on n rows, which `found_on` names; the model misclassifies `errors` of them.
    Without errors the temperature is 1. The calibration error takes `bins` bins of equal width of the largest
    probability, weighted by their rows.
    """

    temperature: float
    n: int
    errors: int
    found_on: str
    bins: int
    ece_before: float
    ece_after: float


class ResultRow(BaseModel):
    """The result of one method on one seed.

    `group_labels_from` says how the attribute that makes the groups was estimated, if a review added it to
    the store; None if it came with the data. The notes say the same in words.

    `kept` says what a method that chooses has kept. For `auto` it holds `candidate`, `baseline` and
    `runner_up` with `gain`, `low`, `runner_up_gain` and `runner_up_low` over the baseline; the verdicts
    `shortcut` (found, no sign, cannot tell) and `repair` (passed, none passed, none needed) with
    `shortcut_reason`, `repair_reason` and `next_step`; and `diagnostics`, the figures of
    `selection.shortcut_signs.ShortcutSigns`. For `cfr` it is `selection.erm_guard.Choice`. `fitted_on` says
    which training rows a comparison's pick was fitted on: all, after the choice, where that is sound.
    `figures` holds the metrics besides accuracy: AUROC, average precision, precision, recall and F1; the
    first two are missing if there are more than 2²⁴ scores, rows × classes.
    """

    method: str
    seed: int
    status: Literal["ok", "skipped", "failed"] = "ok"
    reason: str | None = None
    group_labels_used: Literal["none", "validation", "train"] = "none"
    group_labels_from: EstimatedColumn | None = None
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
    figures: dict[Figure, Figures] = {}
    difference_to_erm: Difference | None = None
    confidence: Confidence | None = None
    grid: list[dict[str, Any]] = []
    fitted_on: str | None = None
    fit_seconds: float | None = None
    notes: list[str] = []

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the verdicts, and the rates of groups and classes."""
        return row_html(self.model_dump(), verdict_sentences(self.kept or {}))


class SeedInterval(BaseModel):
    """Mean over seeds with its 95 % t-interval; low and high are None for one seed."""

    mean: float
    low: float | None
    high: float | None
    seeds: int


class RowInterval(BaseModel):
    """Mean over seeds with its 95 % bootstrap interval over test rows; all seeds share the rows."""

    value: float
    low: float
    high: float


class OverRows(BaseModel):
    """Means of a method over its seeds, with intervals over test rows.

    `difference_to_erm` compares it with ERM on the same seeds and rows.
    """

    worst_group: RowInterval | None
    worst_class: RowInterval
    plain: RowInterval
    difference_to_erm: RowInterval | None


class MethodSummary(BaseModel):
    """Means of a method over its seeds, with intervals over seeds, and over test rows in `over_test_rows`."""

    method: str
    worst_group: SeedInterval | None
    worst_class: SeedInterval | None
    plain: SeedInterval | None
    fit_seconds: SeedInterval | None
    difference_to_erm: SeedInterval | None = None
    over_test_rows: OverRows | None = None


class KeptMethod(BaseModel):
    """The method that is kept on one seed, on evidence from training rows.

    `against` is the baseline that the other methods, `among`, were compared with: `auto`, or `erm` where
    `auto` did not run. `gain`, `low`, `chance`, `trusted_gain` and `retention` compare the best admissible
    method with the baseline under `rule`. `testimony` holds the diagnostics of the shortcut probe. All are
    attributes of `selection.Choice`. `above` has a sentence for each method, with or without group labels,
    whose worst group on the test rows is above that of the kept one beyond the paired 95 % interval.
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
    above: list[str] = []


class Results(BaseModel):
    """The content of results.json.

    Attributes
    ----------
    schema_version : int
        1; called `schema` in the file.
    provenance : dict
        Command, versions and settings.
    rows : list of ResultRow
        One for each method and seed.
    summary : list of MethodSummary
        One for each method.
    kept_method : list of KeptMethod, default=[]
        For a comparison, the method that is kept on each seed.
    kept_summary : MethodSummary or None
        Summary over seeds of the methods that were kept.
    notes : list of str, default=[]
        Notes about the data, one sentence each.
    """

    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    provenance: dict[str, Any]
    rows: list[ResultRow]
    summary: list[MethodSummary]
    kept_method: list[KeptMethod] = []
    kept_summary: MethodSummary | None = None
    notes: list[str] = []

    @classmethod
    def of(cls, rows: Sequence[ResultRow], **facts: Any) -> Results:
        """Return the results of rows, with their summary, and with `facts` in the provenance."""
        return cls(schema=1, provenance=provenance(**facts), rows=list(rows), summary=summarize(rows))

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the row, or of several the worst group or class of each."""
        if len(self.rows) == 1:
            return self.rows[0]._repr_html_()
        rows = [row.model_dump() for row in self.rows]
        return rows_html(rows, [f"Kept on seed {one.seed}: {one.method}" for one in self.kept_method])

    def write(self, path: PathLike) -> None:
        """Write the file `path`, completely or not at all."""
        with atomic(Path(path)) as temporary:
            text = json.dumps(self.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)
            temporary.write_text(text + "\n", encoding="utf-8")


def no_result(method: str, seed: int, status: Literal["skipped", "failed"], reason: str) -> ResultRow:
    """Return the row of a method without figures, with the reason."""
    unknown = Averages(plain=None, train_weighted=None, group_mean=None, class_mean=None)
    return ResultRow(method=method, seed=seed, status=status, reason=reason, averages=unknown)


def summarize(rows: Sequence[ResultRow]) -> list[MethodSummary]:
    """Return a summary over seeds for each method, in order of appearance; only rows with status ok count."""
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
    """Return the command, the versions of the main packages, and `extra`."""
    packages = ("evenhand", "torch", "open_clip_torch", "numpy", "scikit-learn")
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        **extra,
    }


def results_schema() -> dict[str, Any]:
    """Return the JSON Schema of results.json; `scripts/results_schema.py` writes it into the package."""
    return Results.model_json_schema(by_alias=True)


def _over_seeds(values: Sequence[float | None]) -> SeedInterval | None:
    known = [v for v in values if v is not None]
    if not known:
        return None
    low, high = t_interval(known) if len(known) > 1 else (None, None)
    return SeedInterval(mean=float(np.mean(known)), low=low, high=high, seeds=len(known))
