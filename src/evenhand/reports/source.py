"""What a report is made from: results, and for a run the analysis of its models' errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evenhand._errors import EvenhandError
from evenhand._json import parse_json
from evenhand._outputs import RESULTS
from evenhand._progress import Progress, silent
from evenhand.audits.error_analysis import ErrorAnalysis, search_errors
from evenhand.audits.evaluate import EvaluatedModels, evaluate_models
from evenhand.audits.kept_findings import AuditOptions, FindingsFile
from evenhand.audits.vocabulary import given_vocabulary
from evenhand.backbones.from_card import elsewhere
from evenhand.comparison.seal import check_seal
from evenhand.evaluation.result_row import with_groups
from evenhand.evaluation.results import Results
from evenhand.runs.card import read_records
from evenhand.runs.contents import read_contents
from evenhand.runs.models import store_of_run

HISTORY = "history.parquet"


@dataclass(frozen=True)
class RunView:
    """A run as the page shows it.

    Attributes
    ----------
    folder : Path
        The run folder.
    card : dict
        Its `card.json`.
    history : list of dict
        Its `history.parquet`.
    analysis : ErrorAnalysis
        What `evenhand audit` finds in it.
    """

    folder: Path
    card: Mapping[str, Any]
    history: list[dict[str, Any]]
    analysis: ErrorAnalysis

    @property
    def models(self) -> EvaluatedModels:
        """The run's models with their predictions."""
        return self.analysis.models


def read_source(path: Path) -> tuple[dict[str, Any], Path | None]:
    """Return the results in a folder, and the folder itself if it is a run.

    Raises
    ------
    EvenhandError
        If there is no `results.json` that this version reads, or a comparison's was edited.
    """
    try:
        text = (path / RESULTS).read_text(encoding="utf-8")
        results = Results.model_validate_json(text)
        parse_json(text, finite=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its text"
        raise EvenhandError(
            f"{path / RESULTS} is not what this version reads, at {place}: {first['msg']}; make it again"
        ) from error
    except (OSError, ValueError) as error:
        raise EvenhandError(
            f"{path} has no readable {RESULTS} ({error}); give the folder that fit, compare or demo wrote"
        ) from error
    check_seal(path)
    found: dict[str, Any] = results.model_dump(mode="json", by_alias=True)
    return found, path if (path / "card.json").is_file() else None


def view_run(
    folder: Path,
    store: Path | None = None,
    model: str | None = None,
    *,
    vocabulary: Path | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> RunView:
    """Read a run, its store and what an audit found in it; without such an audit, search now.

    Parameters
    ----------
    folder : Path
        The run folder.
    store : Path, optional
        Where its store is now, if it moved.
    model : str, optional
        Where its model is now, as in `elsewhere`.
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
    card = run.card
    table, column = with_groups(store_of_run(folder, card, store), card.get("group_by"))
    history = read_records(folder / HISTORY)
    table = replace(table, card=dict(elsewhere(table.card, model)))
    options = AuditOptions(card["seed"], vocabulary=given_vocabulary(vocabulary))
    models = evaluate_models(table, column, options.seed, run)
    file = FindingsFile(folder, card, table, options)
    findings = file.read() or file.write(
        search_errors(models, options, device=device, progress=progress).findings
    )
    analysis = ErrorAnalysis.of(models, findings)
    return RunView(folder, {**card, "store_card": elsewhere(card["store_card"], model)}, history, analysis)
