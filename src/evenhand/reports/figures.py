"""What a run's rows show: the map, the pictures and the saliency."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from evenhand._progress import Progress
from evenhand.reports.embedding_map import map_data
from evenhand.reports.gallery import calibration_shelves, changed_shelves, group_counts, shown_rows
from evenhand.reports.labels import label
from evenhand.reports.measures import Axis
from evenhand.reports.pictures import address, moved_away, thumbnails
from evenhand.reports.saliency import CELLS, saliency
from evenhand.reports.slices import slices_of
from evenhand.reports.source import RunView

PARTS = 4


def look_at(
    view: RunView, device: str | None, progress: Progress, vocabulary: Path | None = None
) -> dict[str, Any]:
    """Return the values of every section that shows rows."""
    progress("report", 0, PARTS)
    slices = slices_of(view, vocabulary=vocabulary, device=device or "cpu", progress=progress)
    progress("report", 1, PARTS)
    points = map_data(view, slices)
    progress("report", 2, PARTS)
    shelves, classes = calibration_shelves(view)
    changed = changed_shelves(view)
    errors = [one.errors for side in slices.sides for one in side.shown]
    rows = shown_rows([*shelves, *changed, *errors])
    counts = sorted(group_counts(view), key=lambda line: -(line[2] + line[3]))
    progress("report", 3, PARTS)
    looks = "Saliency was left out." if device is None else saliency(view, device)
    progress("report", PARTS, PARTS)
    return {
        "map": points,
        "slices": slices,
        "error_axis": Axis(0.0),
        "shelves": shelves,
        "classes_total": classes,
        "calibration_total": len(view.calibration_set),
        "minority": any("low" in record for record in view.calibration_set[:1]),
        "changed": changed,
        "counts": counts,
        "pictures": {row: address(jpeg) for row, jpeg in thumbnails(view.table, rows).items()},
        "moved": moved_away(view.table, np.unique(rows)),
        "looks": looks,
        "grid": CELLS,
        "before": label(view.pair[0].name),
        "after": label(view.pair[1].name),
    }
