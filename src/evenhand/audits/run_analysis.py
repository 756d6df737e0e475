"""The analysis of a run's errors: what an audit left in the run, or else a search."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from evenhand._progress import Progress, silent
from evenhand.audits.error_analysis import ErrorAnalysis, search_errors
from evenhand.audits.evaluate import evaluate_models
from evenhand.audits.kept_findings import AuditOptions, FindingsFile
from evenhand.audits.vocabulary import given_vocabulary
from evenhand.backbones.from_card import with_model_at
from evenhand.evaluation.evaluated_rows import with_groups
from evenhand.runs.contents import read_contents
from evenhand.runs.models import store_of_run


def analyze_run(
    folder: Path,
    store: Path | None = None,
    model: str | None = None,
    *,
    vocabulary: Path | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> ErrorAnalysis:
    """Read a run, its store and what an audit found in it; without such an audit, search now.

    Parameters
    ----------
    folder : Path
        The run folder.
    store : Path, optional
        Where its store is now, if it moved.
    model : str, optional
        Where its model is now, as in `with_model_at`.
    vocabulary : Path, optional
        A file with one word per line to name slices by, or `none`.
    device : str, default="cpu"
        Device of the text tower.
    progress : callable
        Receives the number of embedded words.

    Raises
    ------
    EvenhandError
        If the run is damaged, its store is missing or is another one, or the vocabulary cannot be read.
    """
    run = read_contents(folder)
    table, column = with_groups(store_of_run(run, store), run.card.get("group_by"))
    card = dict(with_model_at(table.card, model))
    run, table = replace(run, card={**run.card, "store_card": card}), replace(table, card=card)
    options = AuditOptions(run.card["seed"], vocabulary=given_vocabulary(vocabulary))
    models = evaluate_models(table, column, options.seed, run)
    kept = FindingsFile(run, table, options)
    findings = kept.read()
    if findings is None:
        search = search_errors(models, options, device=device, progress=progress)
        findings = kept.write(search.findings, tower=search.tower is not None)
    return ErrorAnalysis.of(models, findings)
