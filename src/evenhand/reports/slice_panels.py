"""Slices of errors on the page: before and after, with words and images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evenhand._typing import Ints, Strings
from evenhand.audits.csv_files import COLUMNS
from evenhand.audits.error_analysis import ErrorAnalysis
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.findings import Slice
from evenhand.evaluation.labels import NO_BREAK
from evenhand.reports.galleries import Gallery, gallery_images
from evenhand.reports.rates import Estimate, RateRow
from evenhand.runs.models import Stage

MOST = 6
"""Slices of a model that are shown, the smallest p-value first."""
IMAGES = 12
"""Images of a slice that are shown."""
MEMBER_COLUMNS = (*COLUMNS, "right")
LISTED = 500
"""Rows of a slice that the page can save; slices.csv has all."""
NO_SLICE, NOT_SLICED = "no slice", "not looked at"
SMALLEST = 0.001
"""The smallest p-value that is printed as a number."""


@dataclass(frozen=True)
class SlicePanel:
    """A slice with images of its errors, the error rate of each model in it, and its first `LISTED` rows."""

    slice: Slice
    rates: RateRow
    errors: Gallery
    members: Sequence[tuple[str, ...]] = ()

    @property
    def named(self) -> bool:
        """Whether some word fits its errors beyond chance."""
        return any(word.beyond_chance for word in self.slice.words)


@dataclass(frozen=True)
class ModelPanels:
    """The slices of one model's errors that are beyond chance.

    Attributes
    ----------
    name : str
        The model, as the page calls it.
    panels : list of SlicePanel
        Those that are shown.
    total : int
        Number of slices beyond chance.
    slice_of_row : str [N]
        The slice of each sliced row, `NO_SLICE` for none; of overlapping slices the first.
    """

    name: str
    panels: list[SlicePanel]
    total: int
    slice_of_row: Strings


@dataclass(frozen=True)
class SliceSection:
    """The section on slices of errors.

    Attributes
    ----------
    models : list of str
        The audited models, before first, as the page calls them.
    by_model : list of ModelPanels
        Each model that has slices beyond chance.
    nothing : str
        Why there are no slices; empty if there are.
    words : str
        Where the words come from; empty if there are none.
    no_words : str
        Why there are no words; empty if there are, or if there is nothing to name.
    notes : tuple of str
        On the choice of rows and words.
    numbers : int64 [N]
        Row numbers of the sliced rows in the store, ascending.
    """

    models: list[str]
    by_model: list[ModelPanels]
    nothing: str
    words: str
    no_words: str
    notes: tuple[str, ...]
    numbers: Ints

    @property
    def listed(self) -> dict[str, Any]:
        """The rows of the slices that the page shows, in their order, to be saved."""
        panels = [panel for one in self.by_model for panel in one.panels]
        return {
            "columns": MEMBER_COLUMNS,
            "slices": [
                {"name": f"{one.slice.name} {one.slice.model}", "rows": one.members} for one in panels
            ],
        }

    def fields(self, rows: Ints) -> list[tuple[str, Strings]]:
        """Return each model's slice of store rows, by which the map can be colored."""
        place = np.minimum(np.searchsorted(self.numbers, rows), len(self.numbers) - 1)
        known = self.numbers[place] == rows
        return [
            (f"slice ({one.name})", np.where(known, one.slice_of_row[place], NOT_SLICED))
            for one in self.by_model
        ]


def slice_section(analysis: ErrorAnalysis) -> SliceSection:
    """Return the slices of the run's model and of the one before it.

    If both predict alike, only the slices of the one before are shown. Images carry their known groups only
    for comparison.
    """
    models, named = analysis.models, analysis.findings.named
    by_model = [_of_model(analysis, stage) for stage in _distinct(models.audited)]
    by_model = [one for one in by_model if one.total]
    return SliceSection(
        [stage.title for stage in models.audited],
        by_model,
        "" if by_model else named.nothing,
        named.words or "",
        named.no_words if by_model else "",
        (*models.notes, *named.notes),
        models.rows.numbers,
    )


def _distinct(stages: Sequence[Stage]) -> Sequence[Stage]:
    first, last = stages[0], stages[-1]
    return stages[:1] if (first.predicted == last.predicted).all() else stages


def _of_model(analysis: ErrorAnalysis, stage: Stage) -> ModelPanels:
    models, sure = analysis.models, analysis.findings.named.sure(stage.name)
    slice_of_row = np.full(len(models.rows.numbers), NO_SLICE, dtype=object)
    for one, members in reversed(sure):
        slice_of_row[members] = one.name
    panels = [_panel(models, one, members, stage) for one, members in sure[:MOST]]
    return ModelPanels(stage.title, panels, len(sure), slice_of_row.astype(np.str_))


def _panel(models: EvaluatedModels, one: Slice, members: Ints, stage: Stage) -> SlicePanel:
    numbers = models.rows.numbers
    errors = np.sort(numbers[members[~stage.right[members]]])
    typical = [row for row, is_wrong in zip(one.rows, one.wrong, strict=True) if is_wrong]
    chosen = np.array(list(dict.fromkeys([*typical, *errors.tolist()]))[:IMAGES], dtype=np.int64)
    pair = (models.audited[0], models.audited[-1])
    images = gallery_images(models, chosen, np.searchsorted(numbers, chosen), pair)
    gallery = Gallery(one.name, len(errors), images)
    return SlicePanel(
        one, _rates(one, models.audited), gallery, members_of(models, one, members, stage)[:LISTED]
    )


def members_of(models: EvaluatedModels, one: Slice, members: Ints, stage: Stage) -> list[tuple[str, ...]]:
    """Return `MEMBER_COLUMNS` of a slice's rows, those that the model misclassifies first."""
    table, places = models.table, np.sort(members)
    places = places[np.argsort(stage.right[places], kind="stable")]
    return [
        (
            str(table.ids[number]),
            str(table.paths[number]),
            one.label,
            table.classes[stage.predicted[place]],
            one.name,
            one.model,
            "true" if stage.right[place] else "false",
        )
        for place, number in zip(places.tolist(), models.rows.numbers[places].tolist(), strict=True)
    ]


def _rates(one: Slice, stages: Sequence[Stage]) -> RateRow:
    rates = [one.errors_of[stage.name] for stage in stages]
    points = f"{100 * one.lift:.0f} points over its class"
    return RateRow(
        one.name,
        [Estimate(rate.value, rate.low, rate.high) for rate in rates],
        f"{one.n:,} rows, {points}, {p_value(one.p_corrected)}",
    )


def p_value(p: float) -> str:
    """Return a p-value with one digit, on one line; the audit's JSON has all digits."""
    text = f"p = {p:.1g}" if p >= SMALLEST else f"p < {SMALLEST:g}"
    return text.replace(" ", NO_BREAK)
