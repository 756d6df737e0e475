"""The images behind an audit as CSV files: those of each slice, all errors, and the suspects."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._files import all_or_none
from evenhand._outputs import AUDIT_FILES
from evenhand.audits.error_analysis import ErrorAnalysis
from evenhand.runs.models import Stage

SLICES, ERRORS, SUSPECTS = AUDIT_FILES
COLUMNS = ("id", "path", "label", "predicted", "slice", "model")
"""The first columns of all three files."""
OF_SLICES = ("right", "in_words")
OF_SUSPECTS = ("score", "may_be", "reason")


def write_audit_files(out: Path, analysis: ErrorAnalysis) -> None:
    """Write `AUDIT_FILES` into a folder, all or none; those of an earlier audit are replaced.

    slices.csv has the images of each slice beyond chance, the most typical first. errors.csv has every error
    behind the accuracies of the evaluation split, with the first slice that the image is in. suspects.csv has
    the calibration rows that every model predicts as another class. Each row names its model.

    Raises
    ------
    EvenhandError
        If the files cannot be written.
    """
    with all_or_none(out, last=SUSPECTS) as folder:
        _write(folder / SLICES, OF_SLICES, _slices(analysis))
        _write(folder / ERRORS, (), _errors(analysis))
        _write(folder / SUSPECTS, OF_SUSPECTS, _suspects(analysis))


def _write(path: Path, more: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*COLUMNS, *more])
        writer.writerows(rows)


def _slices(analysis: ErrorAnalysis) -> Iterator[list[Any]]:
    models = analysis.models
    stages = {stage.name: stage for stage in models.audited}
    for one, members in analysis.findings.named.sure():
        stage = stages[one.model]
        for place in members:
            row = _row(analysis, models.rows.numbers[place], stage.predicted[place], one.name, one.model)
            yield [*row, "true" if stage.right[place] else "false", one.sentence]


def _errors(analysis: ErrorAnalysis) -> Iterator[list[Any]]:
    for stage in analysis.models.on_test[-2:]:
        slices = _slice_of_rows(analysis, stage)
        for place in np.flatnonzero(~stage.right):
            number = analysis.models.split.test[place]
            yield _row(analysis, number, stage.predicted[place], slices.get(int(number), ""), stage.name)


def _slice_of_rows(analysis: ErrorAnalysis, stage: Stage) -> dict[int, str]:
    """Return the first slice of each row of the store that is in one."""
    found: dict[int, str] = {}
    for one, members in analysis.findings.named.sure(stage.name):
        found = dict.fromkeys(analysis.models.rows.numbers[members].tolist(), one.name) | found
    return found


def _suspects(analysis: ErrorAnalysis) -> Iterator[list[Any]]:
    model = analysis.models.audited[-1].name
    for one in analysis.suspects:
        first = [one.id, one.path, one.label, one.looks_like, "", model]
        yield [*first, f"{one.score:.6g}", one.may_be, one.reason]


def _row(analysis: ErrorAnalysis, number: Any, predicted: Any, slice_: str, model: str) -> list[str]:
    """Return the values of `COLUMNS` for one row of the store."""
    table = analysis.models.table
    label, other = table.classes[table.y[number]], table.classes[predicted]
    return [str(table.ids[number]), str(table.paths[number]), label, other, slice_, model]
