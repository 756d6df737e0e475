"""Slices of errors, found without group labels: before and after, with words and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evenhand._progress import Progress, silent
from evenhand._typing import Bools, Ints, Strings
from evenhand.audits.findings import Slice
from evenhand.audits.inputs import Audited, audited
from evenhand.audits.named_slices import NamedSlices, name_slices
from evenhand.reports.gallery import Item, Shelf, group_of
from evenhand.reports.labels import NO_BREAK, label
from evenhand.reports.measures import Mark, MeasureLine
from evenhand.reports.source import RunView
from evenhand.runs.models import Stage

MOST = 6
"""Slices of a model that are shown, the surest first."""
PICTURES = 12
"""Pictures of a slice that are shown."""
NO_SLICE, NOT_SLICED = "no slice", "not looked at"
SMALLEST = 0.001
"""Under this, how small a p-value is tells a reader no more."""


@dataclass(frozen=True)
class Shown:
    """A slice with pictures of its errors, and how often each model errs in it."""

    slice: Slice
    line: MeasureLine
    errors: Shelf

    @property
    def named(self) -> bool:
        """Some word fits its errors beyond chance."""
        return any(word.beyond_chance for word in self.slice.words)


@dataclass(frozen=True)
class ModelSlices:
    """The sure slices of one model's errors.

    Attributes
    ----------
    name : str
        The model, as the page calls it.
    shown : list of Shown
        The surest.
    total : int
        How many there are.
    place : str [N]
        The slice of each sliced row, `NO_SLICE` for none; of overlapping slices the surest.
    """

    name: str
    shown: list[Shown]
    total: int
    place: Strings


@dataclass(frozen=True)
class Slices:
    """What the page says of slices.

    Attributes
    ----------
    models : list of str
        Whose errors were sliced, before first.
    sides : list of ModelSlices
        Of each model that has sure slices.
    nothing : str
        Why there are none; empty where there are.
    words : str
        Where the words come from; empty where there are none.
    no_words : str
        Why there are none; empty where there are, or where there is nothing to name.
    notes : tuple of str
        On the choice of rows.
    numbers : int64 [N]
        The sliced rows' numbers in the store, rising.
    found : (Audited, NamedSlices) or None
        What all this is of.
    """

    models: list[str]
    sides: list[ModelSlices]
    nothing: str
    words: str
    no_words: str
    notes: tuple[str, ...]
    numbers: Ints
    found: tuple[Audited, NamedSlices] | None = None

    def fields(self, rows: Ints) -> list[tuple[str, Strings]]:
        """Return each model's slice of store rows, to colour by."""
        place = np.minimum(np.searchsorted(self.numbers, rows), len(self.numbers) - 1)
        known = self.numbers[place] == rows
        return [
            (f"slice ({side.name})", np.where(known, side.place[place], NOT_SLICED)) for side in self.sides
        ]


def slices_of(
    view: RunView, *, vocabulary: Path | None = None, device: str = "cpu", progress: Progress = silent
) -> Slices:
    """Slice the errors of the run's model and of the one before it.

    Where both predict alike, their slices are those of the one before. No group label is used; items carry
    the groups that are known, to compare with.

    Raises
    ------
    EvenhandError
        If the vocabulary cannot be read.
    """
    seed = view.card["seed"]
    what = audited(view.table, view.column, seed, view.folder)
    named = name_slices(what, view.table, seed=seed, vocabulary=vocabulary, device=device, progress=progress)
    sides = [side for stage in _distinct(what.stages) if (side := _side(view, what, named, stage)).total]
    return Slices(
        [label(stage.name) for stage in what.stages],
        sides,
        "" if sides else named.why,
        named.tower.vocabulary.source if named.tower is not None else "",
        named.why if sides and named.tower is None else "",
        (*what.notes, *(named.tower.vocabulary.notes if named.tower is not None else ())),
        what.rows.numbers,
        (what, named),
    )


def _distinct(stages: Sequence[Stage]) -> Sequence[Stage]:
    first, last = stages[0], stages[-1]
    return stages[:1] if (first.predicted == last.predicted).all() else stages


def _side(view: RunView, what: Audited, named: NamedSlices, stage: Stage) -> ModelSlices:
    sure = [(one, members) for one, members in named.sure() if one.model == stage.name]
    place = np.full(len(what.rows.numbers), NO_SLICE, dtype=object)
    for one, members in reversed(sure):
        place[members] = one.name
    shown = [_shown(view, what, one, members, stage) for one, members in sure[:MOST]]
    return ModelSlices(label(stage.name), shown, len(sure), place.astype(np.str_))


def _shown(view: RunView, what: Audited, one: Slice, members: Bools, stage: Stage) -> Shown:
    errors = what.rows.numbers[members & ~stage.right]
    typical = [row for row, is_wrong in zip(one.rows, one.wrong, strict=True) if is_wrong]
    chosen = list(dict.fromkeys([*typical, *errors.tolist()]))[:PICTURES]
    items = [_item(view, what, place) for place in np.searchsorted(what.rows.numbers, chosen).tolist()]
    return Shown(one, _line(one, [each.name for each in what.stages]), Shelf(one.name, len(errors), items))


def _line(one: Slice, models: Sequence[str]) -> MeasureLine:
    rates = [one.errors_of[model] for model in models]
    points = f"{100 * one.lift:.0f} points over its class"
    return MeasureLine(
        one.name,
        [Mark(rate.value, rate.low, rate.high) for rate in rates],
        f"{one.n:,} rows, {points}, {p_value(one.p_corrected)}",
    )


def p_value(p: float) -> str:
    """Return a p-value as people write it, on one line; the audit's JSON has all digits."""
    said = f"p = {p:.1g}" if p >= SMALLEST else f"p < {SMALLEST:g}"
    return said.replace(" ", NO_BREAK)


def _item(view: RunView, what: Audited, place: int) -> Item:
    row = int(what.rows.numbers[place])
    return Item(
        row,
        str(view.table.ids[row]),
        view.table.classes[view.table.y[row]],
        group_of(view, row),
        float(what.stages[-1].margins[place]),
        tuple(view.table.classes[stage.predicted[place]] for stage in (what.stages[0], what.stages[-1])),
    )
