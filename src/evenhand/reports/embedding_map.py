"""The data of the embedding map, as the page's script reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evenhand._typing import Floats, Ints, Strings
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.reports.map_layout import layouts
from evenhand.reports.slice_panels import NO_SLICE, NOT_SLICED
from evenhand.reports.thumbnails import COLUMNS, TILE

STEPS = 4000
"""Positions are integers up to this on either side of the center: finer than a screen, and short as text."""
VALUES = 8
"""Values with a color of their own; the rarer ones share one."""
OTHERS = "all others"
GRAY = VALUES - 1
"""The color of what should not stand out."""
QUIET = (NO_SLICE, NOT_SLICED, OTHERS)


def map_data(
    models: EvaluatedModels, places: Ints, by_slice: Sequence[tuple[str, Strings]], sheets: Sequence[str]
) -> dict[str, Any]:
    """Return points, layouts, fields to color by and sprite sheets of test rows.

    Parameters
    ----------
    models : EvaluatedModels
        The models with their predictions.
    places : int64 [n]
        The positions of the rows among the test rows.
    by_slice : sequence of (name, str [n])
        The slices of the rows, a field of each model.
    sheets : sequence of str
        Sprite sheets of the rows; empty if the store keeps no thumbnails.
    """
    table, test = models.table, models.split.test
    rows = test[places]
    named = [*_fields(models, rows), *by_slice]
    X = table.features(rows)
    found = layouts([stage.model.embed(X) for stage in models.on_test], models.seed)
    return {
        "total": len(test),
        "shown": len(rows),
        "ids": table.ids[rows].tolist(),
        "paths": table.paths[rows].tolist(),
        "classes": list(table.classes),
        "y": table.y[rows].tolist(),
        "stages": [
            {
                "name": stage.title,
                "xy": _steps(layout),
                "predicted": stage.predicted[places].tolist(),
                "margins": [round(float(margin), 2) for margin in stage.margins[places]],
            }
            for stage, layout in zip(models.on_test, found, strict=True)
        ],
        "fields": [field(name, values) for name, values in named],
        "filters": [_filter(name, values) for name, values in named],
        "tile": TILE,
        "columns": COLUMNS,
        "sheets": sheets,
    }


def _fields(models: EvaluatedModels, rows: Ints) -> list[tuple[str, Strings]]:
    groups = models.groups(rows)
    named = [("class", models.table.labels(rows))]
    if groups is not None:
        named.insert(0, ("group", np.where(groups == "", "group unknown", groups)))
    return named + [
        (name, np.where(values[rows] == "", "unknown", values[rows]))
        for name, values in models.table.attributes.items()
    ]


def _filter(name: str, values: Strings) -> dict[str, Any]:
    """Return all values by name and each row's code, to filter by."""
    found, codes = np.unique(values, return_inverse=True)
    return {"name": name, "values": found.tolist(), "codes": codes.tolist()}


def field(name: str, values: Strings | Sequence[str]) -> dict[str, Any]:
    """Return the `VALUES` most frequent values by name, their colors, and each row's code."""
    array = np.asarray(values, dtype=np.str_)
    found, counts = np.unique(array, return_counts=True)
    common = found[np.argsort(-counts, kind="stable")]
    shown = common.tolist() if len(common) <= VALUES else [*common[: VALUES - 1].tolist(), OTHERS]
    codes = {value: code for code, value in enumerate(sorted(shown, key=_last_if_quiet))}
    return {
        "name": name,
        "values": list(codes),
        "colors": [GRAY if value in QUIET else code for value, code in codes.items()],
        "codes": [codes.get(value, codes.get(OTHERS)) for value in array.tolist()],
    }


def _last_if_quiet(value: str) -> tuple[int, str]:
    return (QUIET.index(value) + 1 if value in QUIET else 0, value)


def _steps(layout: Floats) -> list[int]:
    numbers: list[int] = np.rint(layout * STEPS).astype(int).ravel().tolist()
    return numbers
