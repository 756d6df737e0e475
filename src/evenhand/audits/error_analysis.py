"""The analysis of a model's errors that `audit` and `report` both show, made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenhand._progress import Progress, silent
from evenhand.audits.associations import Associations, find_associations
from evenhand.audits.bottom_line import BottomLine, bottom_line
from evenhand.audits.calibration_set import CalibrationRows, read_calibration_set
from evenhand.audits.evaluate import EvaluatedModels, evaluate_models
from evenhand.audits.findings import Suspect
from evenhand.audits.named_slices import NamedSlices, name_slices
from evenhand.audits.slices import SLICES
from evenhand.audits.suspects import find_suspects
from evenhand.audits.words import tower_or_reason
from evenhand.data.table import FeatureTable
from evenhand.runs.card import read_result


@dataclass(frozen=True)
class ErrorAnalysis:
    """What `audit` and `report` both show of a model's errors.

    Attributes
    ----------
    models : EvaluatedModels
        The models with their predictions.
    named : NamedSlices
        Slices of their errors, with words where there is a text tower.
    calibration_set : CalibrationRows
        The rows that the run calibrates on; none without a run.
    suspects : list of Suspect
        Those of them that every model takes for another class.
    associations : Associations
        What goes with the label in the training rows.
    bottom_line : BottomLine
        What it comes to.
    """

    models: EvaluatedModels
    named: NamedSlices
    calibration_set: CalibrationRows
    suspects: list[Suspect]
    associations: Associations
    bottom_line: BottomLine


def analyze_errors(
    table: FeatureTable,
    attribute: str | None,
    *,
    seed: int,
    run: Path | None = None,
    card: Mapping[str, Any] | None = None,
    slices: int = SLICES,
    vocabulary: Path | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> ErrorAnalysis:
    """Let the models predict, slice their errors, name the slices and find suspects.

    Parameters
    ----------
    table : FeatureTable
        The store.
    attribute : str or None
        The attribute that makes the groups. Slices, words and suspects do not depend on it.
    seed : int
        Seed of the halves, the sample and the permutations behind the words.
    run, card : Path and mapping, optional
        A run on this store, and its card.
    slices : int, default=5
        Slices per class and method.
    vocabulary : Path, optional
        A file with one word per line, or `none`.
    device : str, default="cpu"
        Device of the text tower.
    progress : callable
        Receives the number of embedded words.

    Raises
    ------
    EvenhandError
        If the table cannot be evaluated, or the run or the vocabulary cannot be read.
    """
    models = evaluate_models(table, attribute, seed, run, card)
    calibration_set = read_calibration_set(run, table)
    tower, no_words = tower_or_reason(table, vocabulary, device=device, progress=progress)
    named = name_slices(models, tower, no_words, seed=seed, slices=slices)
    associations = find_associations(table, tower, no_words, seed=seed)
    kept = {} if run is None else read_result(run)["kept"] or {}
    suspects = find_suspects(models, calibration_set, kept)
    line = bottom_line(models, named, associations, run, kept)
    return ErrorAnalysis(models, named, calibration_set, suspects, associations, line)
