"""The images behind an audit as CSV files: those of each slice, all errors, and the suspects."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._files import all_or_none
from evenhand.audits.findings import Suspect
from evenhand.audits.inputs import Audited
from evenhand.audits.named_slices import NamedSlices
from evenhand.data.table import FeatureTable
from evenhand.runs.models import Stage

SLICES, ERRORS, SUSPECTS = AUDIT_FILES = ("slices.csv", "errors.csv", "suspects.csv")
COLUMNS = ("id", "path", "label", "predicted", "slice", "model")
"""What all three files begin with."""


def write_audit_files(
    out: Path, table: FeatureTable, what: Audited, named: NamedSlices, suspects: Sequence[Suspect]
) -> None:
    """Write `AUDIT_FILES` into a folder, all or none; those of an earlier audit are replaced.

    slices.csv has the images of each slice beyond chance, the most typical first. errors.csv has every error
    behind the accuracies of the evaluation split, with the surest slice of the image where it lies in one.
    suspects.csv has the calibration rows that look mislabelled. Each names the model that it holds for.

    Raises
    ------
    EvenhandError
        If the files cannot be written.
    """
    with all_or_none(out, last=SUSPECTS) as folder:
        _write(folder / SLICES, ("right", "in_words"), _slices(table, what, named))
        _write(folder / ERRORS, (), _errors(table, what, named))
        _write(folder / SUSPECTS, ("score", "reason"), _suspects(what, suspects))


def _write(path: Path, more: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*COLUMNS, *more])
        writer.writerows(rows)


def _slices(table: FeatureTable, what: Audited, named: NamedSlices) -> Iterator[list[Any]]:
    stages = {stage.name: stage for stage in what.stages}
    for one, members in named.sure():
        stage, typical = stages[one.model], named.dealt[one.model, one.method].typical
        places = np.flatnonzero(members)
        for place in places[np.argsort(-typical[places], kind="stable")]:
            row = _row(table, what.rows.numbers[place], stage.predicted[place], one.name, one.model)
            yield [*row, _flag(stage.right[place]), one.sentence]


def _errors(table: FeatureTable, what: Audited, named: NamedSlices) -> Iterator[list[Any]]:
    for stage in what.tested:
        slices = _slice_of(what, named, stage)
        for place in np.flatnonzero(~stage.right):
            number = what.test[place]
            name = slices.get(int(number), "")
            yield _row(table, number, stage.predicted[place], name, stage.name)


def _slice_of(what: Audited, named: NamedSlices, stage: Stage) -> dict[int, str]:
    """Return the surest slice of each row of the store that lies in one."""
    found: dict[int, str] = {}
    for one, members in named.sure():
        if one.model == stage.name:
            found = {int(number): one.name for number in what.rows.numbers[members]} | found
    return found


def _suspects(what: Audited, suspects: Sequence[Suspect]) -> Iterator[list[Any]]:
    for one in suspects:
        row = [one.id, one.path, one.label, one.looks_like, "", what.stages[-1].name]
        yield [*row, f"{one.score:.6g}", one.reason]


def _row(table: FeatureTable, number: Any, predicted: Any, slice_: str, model: str) -> list[str]:
    label = table.classes[table.y[number]]
    return [
        str(table.ids[number]),
        str(table.paths[number]),
        label,
        table.classes[predicted],
        slice_,
        model,
    ]


def _flag(right: Any) -> str:
    return "true" if right else "false"
