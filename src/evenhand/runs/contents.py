"""The content of a run folder, read and checked once, and the store that it was fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evenhand._errors import EvenhandError
from evenhand._typing import PathLike
from evenhand.data.store import load_store
from evenhand.data.table import FeatureTable
from evenhand.methods._training.model import Model
from evenhand.methods.bundle import BUNDLE, ERM_BUNDLE, read_run_bundle
from evenhand.runs.card import read_card, read_records, read_result
from evenhand.runs.store_place import other_store, place_of_store

CALIBRATION_SET, HISTORY = "calibration_set.parquet", "history.parquet"


@dataclass(frozen=True)
class RunContents:
    """A run.

    Attributes
    ----------
    folder : Path
        Its folder.
    card : dict
        Its `card.json`.
    result : dict
        The row of its `results.json`.
    calibration_set : list of dict
        Its `calibration_set.parquet`.
    history : list of dict
        Its `history.parquet`.
    models : mapping of str to Model
        ERM if the run has it, and the run's own model, by name and in this order.
    """

    folder: Path
    card: dict[str, Any]
    result: dict[str, Any]
    calibration_set: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]
    models: Mapping[str, Model]

    @property
    def kept(self) -> dict[str, Any]:
        """What the fit kept, and its evidence; empty for a method that does not choose."""
        return self.result["kept"] or {}

    def fitted_on(self, table: FeatureTable) -> bool:
        """Return whether the run was fitted on a table, by its card and its classes."""
        return bool(self.card["store_card"] == table.card) and self.card["classes"] == list(table.classes)


def read_contents(run: Path) -> RunContents:
    """Read a run folder.

    Raises
    ------
    EvenhandError
        If the folder is not a run, is damaged, or is of another version.
    """
    card, result = read_card(run), read_result(run)
    calibration_set, history = (read_records(run / name) for name in (CALIBRATION_SET, HISTORY))
    bundles = {"erm": ERM_BUNDLE} if ERM_BUNDLE in card["files"] else {}
    bundles[card["method"]] = BUNDLE
    models = {method: read_run_bundle(run, card, name) for method, name in bundles.items()}
    return RunContents(run, card, result, calibration_set, history, models)


def run_on(table: FeatureTable, run: Path) -> RunContents:
    """Read a run that was fitted on `table`.

    Raises
    ------
    EvenhandError
        If the run is damaged, or was fitted on another store.
    """
    found = read_contents(run)
    if not found.fitted_on(table):
        raise other_store(table.source, run)
    return found


def store_of_run(run: RunContents, store: PathLike | None = None) -> FeatureTable:
    """Read the store that a run was fitted on; `store` says where it is now, if it was moved.

    Raises
    ------
    EvenhandError
        If there is no such store, or it is not the one that the run was fitted on.
    """
    place = place_of_store(run.folder, run.card) if store is None else Path(store)
    if place is None:
        raise EvenhandError(f"run {run.folder} names no store; give its folder as `store`")
    table = load_store(place)
    if not run.fitted_on(table):
        raise other_store(place, run.folder)
    return table
