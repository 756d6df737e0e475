"""The sections of the page, in their order.

To add a section, write `templates/NAME.html.j2`, add NAME to `SECTIONS`, and add its values to `page_values`,
or to `_run_values` if it needs a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._progress import Progress
from evenhand.audits.error_analysis import ErrorAnalysis
from evenhand.evaluation.metric_view import by_metric
from evenhand.reports.embedding_map import map_data
from evenhand.reports.galleries import (
    calibration_galleries,
    changed_galleries,
    contradicting_gallery,
    group_counts,
    rows_of,
)
from evenhand.reports.headline import of_run, verdict
from evenhand.reports.next_steps import next_steps
from evenhand.reports.numbers import kept_values, number_values
from evenhand.reports.provenance import provenance_values
from evenhand.reports.rates import Axis, Record
from evenhand.reports.saliency import CELLS, saliency
from evenhand.reports.sampling import shown_rows
from evenhand.reports.slice_panels import slice_section
from evenhand.reports.thumbnails import address, moved_away, sprite_sheets, thumbnails

STEPS = 4
"""Steps of progress: the slices, the galleries, the map and the saliency."""


@dataclass(frozen=True)
class Section:
    """A section: the name of its template and anchor, its title, and whether it needs a run or its images."""

    name: str
    title: str
    of_run: bool = False
    of_images: bool = False


SECTIONS = (
    Section("verdict", "Verdict"),
    Section("numbers", "Figures"),
    Section("associations", "What goes with the label", of_run=True),
    Section("map", "Map", of_run=True),
    Section("slices", "Slices", of_run=True),
    Section("calibration", "Calibration set", of_run=True, of_images=True),
    Section("changes", "What changed", of_run=True),
    Section("saliency", "Saliency", of_run=True, of_images=True),
    Section("making", "How it was made"),
)


def page_values(
    results: Mapping[str, Any],
    analysis: ErrorAnalysis | None,
    with_saliency: bool,
    metric: str,
    progress: Progress,
) -> dict[str, Any]:
    """Return the values of all sections, under the names that the templates use.

    Parameters
    ----------
    results : mapping
        As in `results.json`.
    analysis : ErrorAnalysis or None
        The run of the sections that need one.
    with_saliency : bool
        Whether saliency is computed.
    metric : str
        What the rates of the verdict and of the figures are.
    progress : callable
        Receives each step.
    """
    rows = [by_metric(row, metric) for row in _with_models_before(results.get("rows", []), analysis)]
    run = None if analysis is None else analysis.models.run
    values = (
        {} if analysis is None or run is None else _run_values(analysis, run.folder, with_saliency, progress)
    )
    fitted = [row for row in rows if row["status"] == "ok"]
    of_seed = run.card["seed"] if run is not None and len({row["seed"] for row in rows}) > 1 else None
    name = "" if run is None or of_seed is not None else f": {run.folder.resolve().name}"
    return {
        "title": f"evenhand report{name}",
        "sections": [
            one
            for one in SECTIONS
            if (analysis is not None or not one.of_run) and (values.get("pictured") or not one.of_images)
        ],
        "rows": rows,
        "of_seed": of_seed,
        "verdict": (
            verdict(fitted, values.get("slices"), of_seed)
            if analysis is None or of_seed is not None or metric != "accuracy"
            else of_run(analysis.bottom_line)
        ),
        "next_steps": [],
        **values,
        **number_values(rows, None if analysis is None else analysis.models.evaluated.train_groups),
        **kept_values(results, metric),
        **provenance_values(results, rows, run),
    }


def _run_values(
    analysis: ErrorAnalysis, folder: Path, with_saliency: bool, progress: Progress
) -> dict[str, Any]:
    progress("report", 0, STEPS)
    models, shown = analysis.models, shown_rows(analysis.models)
    on_map, slices = models.split.test[shown.on_map], slice_section(analysis)
    by_slice = slices.fields(on_map)
    progress("report", 1, STEPS)
    calibration, classes = calibration_galleries(models, analysis.calibration_set)
    changed, counts = changed_galleries(models, shown), group_counts(models)
    errors = [panel.errors for one in slices.by_model for panel in one.panels]
    contradicting = contradicting_gallery(models.table, analysis.findings.associations.legibility)
    rows = np.unique(rows_of([*calibration, *changed, *errors, contradicting]))
    moved = moved_away(models.table, rows)
    jpegs = thumbnails(models.table, np.concatenate([rows, on_map]))
    progress("report", 2, STEPS)
    sheets = sprite_sheets([jpegs[row] for row in on_map.tolist()]) if jpegs else []
    points = map_data(models, shown.on_map, by_slice, sheets)
    progress("report", 3, STEPS)
    maps = saliency(analysis, shown.saliency) if with_saliency else "Saliency was left out."
    progress("report", STEPS, STEPS)
    return {
        "next_steps": next_steps(folder, models.table.source, analysis.bottom_line),
        "associations": analysis.findings.associations,
        "contradicting": contradicting,
        "map": points,
        "slices": slices,
        "error_axis": Axis(0.0),
        "calibration": calibration,
        "calibration_classes": classes,
        "calibration_total": len(analysis.calibration_set.rows),
        "minority": any("low" in record for record in analysis.calibration_set.records[:1]),
        "changed": changed,
        "counts": counts,
        "pictured": bool(points["sheets"]),
        "slice_rows": slices.listed,
        "thumbnails": {row: address(jpegs[row]) for row in rows.tolist()} if jpegs else {},
        "moved": moved,
        "saliency": maps,
        "grid": CELLS,
        "before": models.pair[0].title,
        "after": models.pair[1].title,
    }


def _with_models_before(rows: list[Record], analysis: ErrorAnalysis | None) -> list[Record]:
    """Put the models before a run in front of its rows, unless they are among them."""
    if analysis is None:
        return rows
    known = {row["method"] for row in rows}
    before = [stage for stage in analysis.models.on_test[:-1] if stage.name not in known]
    return [*(analysis.models.result(stage).model_dump(mode="json") for stage in before), *rows]
