"""The errors of models, searched once, for `audit`, `report` and `review`; a run keeps what was found."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from evenhand._device_check import check_torch_device
from evenhand._progress import Progress, silent
from evenhand._typing import PathLike
from evenhand.audits.associations import find_associations
from evenhand.audits.bottom_line import BottomLine, bottom_line
from evenhand.audits.calibration_set import CalibrationRows, calibration_rows
from evenhand.audits.evaluate import EvaluatedModels, evaluate_models
from evenhand.audits.findings import Suspect
from evenhand.audits.kept_findings import AuditOptions, Findings, KeptFindings
from evenhand.audits.named_slices import Assignments, name_slices
from evenhand.audits.shortcut import look_for_shortcut, verdict_of_fit
from evenhand.audits.suspects import find_suspects
from evenhand.audits.text_tower import TextTower, tower_or_reason
from evenhand.audits.vocabulary import given_vocabulary
from evenhand.backbones.from_card import backbone_of, with_model_at
from evenhand.backbones.load import Loaded
from evenhand.data.store_card import embedded
from evenhand.runs.contents import read_contents, store_of_run


class Search(NamedTuple):
    """Findings, the text tower that named them, and how each method assigns rows to slices."""

    findings: Findings
    tower: TextTower | None
    assignments: Assignments


def search_errors(
    models: EvaluatedModels,
    options: AuditOptions,
    kept: KeptFindings,
    *,
    device: str = "cpu",
    progress: Progress = silent,
) -> Search:
    """Slice the errors of models, name the slices, find what goes with the label, and look for a shortcut.

    Without a text tower, because the model could not be loaded, the findings are not kept: it may be back.

    Parameters
    ----------
    models : EvaluatedModels
        The models with their predictions. Where the run's fit looked for a shortcut, that verdict stands.
    options : AuditOptions
        Seed, number of slices and vocabulary.
    kept : KeptFindings
        Where the findings are kept.
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
    signs = verdict_of_fit(models.kept) or look_for_shortcut(models.table, options.seed)
    findings = Findings(named=named, associations=associations, signs=signs)
    if tower is not None or not embedded(models.table.card):
        kept.write(findings)
    return Search(findings, tower, assignments)


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
        Those of them that every model predicts as another class.
    bottom_line : BottomLine
        The conclusions.
    tower : TextTower or None
        The text tower that named the slices, if it was loaded.
    device : str, default="cpu"
        Device of the store's model.
    """

    models: EvaluatedModels
    findings: Findings
    calibration_set: CalibrationRows
    suspects: list[Suspect]
    bottom_line: BottomLine
    tower: TextTower | None = None
    device: str = "cpu"

    @classmethod
    def of(
        cls,
        models: EvaluatedModels,
        findings: Findings,
        tower: TextTower | None = None,
        device: str = "cpu",
    ) -> ErrorAnalysis:
        """Add the suspects and the bottom line to findings, which a text tower named if one was loaded.

        Raises
        ------
        EvenhandError
            If the run's calibration set names rows that the store lacks.
        """
        calibration_set = calibration_rows(models.run, models.table)
        suspects = find_suspects(models, calibration_set, models.kept)
        folder = None if models.run is None else models.run.folder
        line = bottom_line(models, findings, folder, models.kept)
        return cls(models, findings, calibration_set, suspects, line, tower, device)

    @property
    def folders(self) -> list[Path]:
        """The folders that it was read from: the run's and the store's."""
        run, store = self.models.run, self.models.table.source
        return [*([] if run is None else [run.folder]), *([] if store is None else [store])]

    @cached_property
    def backbone(self) -> Loaded:
        """The model that embedded the store, loaded now unless the text tower is part of it.

        Raises
        ------
        EvenhandError
            If it cannot be loaded, or has other weights than then.
        """
        if self.tower is not None and self.tower.backbone is not None:
            return self.tower.backbone
        return backbone_of(self.models.table.card, self.device)


def analyze_run(
    folder: PathLike,
    store: PathLike | None = None,
    model: PathLike | None = None,
    *,
    vocabulary: PathLike | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> ErrorAnalysis:
    """Read a run, its store and what an audit found in it; without such an audit, search now.

    Parameters
    ----------
    folder : str or Path
        The run folder.
    store : str or Path, optional
        Where its store is now, if it moved.
    model : str or Path, optional
        Where its model is now, if it moved: a name, a folder or a checkpoint.
    vocabulary : str or Path, optional
        A file with one word per line to name slices by, or `none`. The default is the model's own words, or
        else common nouns.
    device : str, default="cpu"
        Device of the store's model, which embeds words and computes saliency.
    progress : callable, optional
        Receives the number of embedded words; by default nothing does.

    Returns
    -------
    ErrorAnalysis
        What `evenhand.report` shows.

    Raises
    ------
    EvenhandError
        If the run is damaged, its store is missing or is another one, the model is another one, the device is
        not there, or the vocabulary cannot be read.

    Examples
    --------
    >>> import evenhand
    >>> found = evenhand.analyze_run("birds.run")  # doctest: +SKIP
    >>> found.bottom_line.lines  # doctest: +SKIP
    """
    check_torch_device(device)
    run = read_contents(Path(folder))
    table = store_of_run(run, store).with_groups(run.card.get("group_by"))
    card = dict(with_model_at(table.card, None if model is None else os.fspath(model)))
    run, table = replace(run, card={**run.card, "store_card": card}), replace(table, card=card)
    options = AuditOptions(run.card["seed"], vocabulary=given_vocabulary(vocabulary))
    models = evaluate_models(table, options.seed, run)
    kept = KeptFindings.of(run, table, options)
    findings = kept.read()
    if findings is None:
        search = search_errors(models, options, kept, device=device, progress=progress)
        return ErrorAnalysis.of(models, search.findings, search.tower, device)
    return ErrorAnalysis.of(models, findings, device=device)
