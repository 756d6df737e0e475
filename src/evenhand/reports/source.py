"""What a report is made from: results, and where there is a run, its models on its store's test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evenhand._errors import EvenhandError
from evenhand._json import parse_json
from evenhand._outputs import RESULTS
from evenhand._typing import Ints, Strings
from evenhand.backbones.from_card import elsewhere
from evenhand.comparison.seal import check_seal
from evenhand.data.partition import SplitRows, parts
from evenhand.data.table import FeatureTable
from evenhand.evaluation.result_row import group_column, result_row
from evenhand.evaluation.results import Results
from evenhand.runs.card import read_card, read_records
from evenhand.runs.models import Stage, read_stages, store_of_run

HISTORY, CALIBRATION_SET = "history.parquet", "calibration_set.parquet"


@dataclass(frozen=True)
class RunView:
    """A run with its store.

    Attributes
    ----------
    folder : Path
        Of the run.
    card : dict
        Its `card.json`.
    table : FeatureTable
        The store.
    rows : SplitRows
        Which rows trained and test it.
    column : str or None
        The attribute that makes groups.
    stages : list of Stage
        Zero-shot, ERM where it was kept, and the run's own model, on the test rows.
    history, calibration_set : list of dict
        As `fit` wrote them.
    """

    folder: Path
    card: Mapping[str, Any]
    table: FeatureTable
    rows: SplitRows
    column: str | None
    stages: list[Stage]
    history: list[dict[str, Any]]
    calibration_set: list[dict[str, Any]]

    @property
    def test(self) -> Ints:
        """Row numbers that were tested on, M of them."""
        return self.rows.test

    @property
    def pair(self) -> tuple[Stage, Stage]:
        """Before and after: the last two stages. A run of zero-shot has one, which is both."""
        return self.stages[-2:][0], self.stages[-1]

    def groups(self, rows: Ints) -> Strings | None:
        """Return "label / value" of rows, None where no attribute is known."""
        return None if self.column is None else self.table.groups(self.column, rows)

    def result_rows(self) -> list[dict[str, Any]]:
        """Return the results of the stages before the last, as `fit` would write them."""
        erm = next((stage.right for stage in self.stages if stage.name == "erm"), None)
        made = [
            result_row(
                self.table,
                self.rows,
                stage.right,
                erm,
                column=self.column,
                method=stage.name,
                seed=self.card["seed"],
            )
            for stage in self.stages[:-1]
        ]
        return [row.model_dump(mode="json") for row in made]


def read_source(path: Path) -> tuple[dict[str, Any], Path | None]:
    """Return the results in a folder, and the folder itself if it is a run.

    Raises
    ------
    EvenhandError
        If there is no `results.json` of this version's schema, or that of a comparison was changed since.
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


def view_run(folder: Path, store: Path | None = None, model: str | None = None) -> RunView:
    """Read a run, its store, and what its models predict on the test rows.

    Parameters
    ----------
    folder : Path
        Of the run.
    store : Path, optional
        Where its store lies now, if not where it was.
    model : str, optional
        Where its model lies now, as in `elsewhere`.

    Raises
    ------
    EvenhandError
        If the run is damaged or the store is not there or another one.
    """
    card = read_card(folder)
    table = store_of_run(folder, card, store)
    rows = parts(table, card["validation_from"])
    return RunView(
        folder,
        {**card, "store_card": elsewhere(card["store_card"], model)},
        replace(table, card=dict(elsewhere(table.card, model))),
        rows,
        group_column(table, card.get("group_by")),
        read_stages(folder, card, table, rows.test),
        read_records(folder / HISTORY),
        read_records(folder / CALIBRATION_SET),
    )
