"""The analysis of a model's errors that `audit` and `report` both show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from evenhand._progress import Progress, silent
from evenhand.audits.associations import find_associations
from evenhand.audits.bottom_line import BottomLine, bottom_line
from evenhand.audits.calibration_set import CalibrationRows, calibration_rows
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.findings import Suspect
from evenhand.audits.kept_findings import AuditOptions, Findings
from evenhand.audits.named_slices import Assignments, name_slices
from evenhand.audits.shortcut import look_for_shortcut, signs_of_fit
from evenhand.audits.suspects import find_suspects
from evenhand.audits.words import TextTower, tower_or_reason


class Search(NamedTuple):
    """Findings, the text tower that named them, and how each method assigns rows to slices."""

    findings: Findings
    tower: TextTower | None
    assignments: Assignments


def search_errors(
    models: EvaluatedModels,
    options: AuditOptions,
    *,
    device: str = "cpu",
    progress: Progress = silent,
) -> Search:
    """Slice the errors of models, name the slices, find what goes with the label, and look for a shortcut.

    Parameters
    ----------
    models : EvaluatedModels
        The models with their predictions. Where the run's fit looked for a shortcut, that verdict stands.
    options : AuditOptions
        Seed, number of slices and vocabulary.
    device : str, default="cpu"
        Device of the text tower.
    progress : callable
        Receives the number of embedded words.
    """
    tower, no_words = tower_or_reason(models.table, options.vocabulary, device=device, progress=progress)
    associations = find_associations(
        models.table, models.on_test[0].model, tower, no_words, seed=options.seed
    )
    named, assignments = name_slices(
        models, tower, no_words or associations.unfit, seed=options.seed, slices=options.slices
    )
    signs = signs_of_fit(models.kept) or look_for_shortcut(models.table, options.seed)
    return Search(Findings(named=named, associations=associations, signs=signs), tower, assignments)


@dataclass(frozen=True)
class ErrorAnalysis:
    """What `audit` and `report` both show of a model's errors.

    Attributes
    ----------
    models : EvaluatedModels
        The models with their predictions.
    findings : Findings
        Slices of their errors, what goes with the label, and whether there is a shortcut.
    calibration_set : CalibrationRows
        The rows that the run calibrates on; none without a run.
    suspects : list of Suspect
        Those of them that every model takes for another class.
    bottom_line : BottomLine
        What it comes to.
    """

    models: EvaluatedModels
    findings: Findings
    calibration_set: CalibrationRows
    suspects: list[Suspect]
    bottom_line: BottomLine

    @classmethod
    def of(cls, models: EvaluatedModels, findings: Findings) -> ErrorAnalysis:
        """Add the suspects and the bottom line to findings.

        Raises
        ------
        EvenhandError
            If the run's calibration set names rows that the store lacks.
        """
        calibration_set = calibration_rows(models.run, models.table)
        suspects = find_suspects(models, calibration_set, models.kept)
        folder = None if models.run is None else models.run.folder
        line = bottom_line(models, findings, folder, models.kept)
        return cls(models, findings, calibration_set, suspects, line)
