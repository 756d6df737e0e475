"""A run's model beside what came before it, on the same test rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evenhand._errors import EvenhandError
from evenhand._typing import Bools, Floats, Ints
from evenhand.data.store import load_store
from evenhand.data.table import FeatureTable
from evenhand.methods._training.model import Model
from evenhand.methods.bundle import ERM_BUNDLE, read_run_bundle
from evenhand.methods.cfr.calibration_set import margins
from evenhand.methods.registry import make

BLOCK = 16_384
"""Rows whose features are in memory at a time."""


@dataclass(frozen=True)
class Stage:
    """One model of a run.

    Attributes
    ----------
    name : str
        `zero_shot`, `erm`, or the run's method.
    model : Model
        What predicts.
    predicted : int64 [M]
        Codes on the rows that were asked for.
    margins : float32 [M]
        Logit of the true class minus the largest other one.
    right : bool [M]
        Whether the prediction is the label.
    """

    name: str
    model: Model
    predicted: Ints
    margins: Floats
    right: Bools

    @classmethod
    def of(cls, name: str, model: Model, table: FeatureTable, rows: Ints) -> Stage:
        """Return a model with what it predicts on `rows`, block by block."""
        predicted, found = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK]
            logits = model.logits(table.features(part))
            predicted.append(logits.argmax(axis=1))
            found.append(margins(torch.from_numpy(logits), torch.from_numpy(table.y[part])).numpy())
        codes = np.concatenate(predicted)
        return cls(name, model, codes, np.concatenate(found), codes == table.y[rows])


def store_of_run(run: Path, card: Mapping[str, Any], store: Path | None = None) -> FeatureTable:
    """Read the store that a run was fitted on, or the same store where it lies now.

    Raises
    ------
    EvenhandError
        If it is not there, or is another store.
    """
    place = store or (Path(card["store"]) if card["store"] else None)
    if place is None:
        raise EvenhandError(f"run {run} names no store; give its folder as `store`")
    table = load_store(place)
    if table.card != card["store_card"] or list(table.classes) != card["classes"]:
        raise EvenhandError(f"{place} is not the store that {run} was fitted on; give that one as `store`")
    return table


def read_stages(run: Path, card: Mapping[str, Any], table: FeatureTable, rows: Ints) -> list[Stage]:
    """Return zero-shot, ERM where the run keeps it, and the run's model, on `rows`; before comes first."""
    models = {"zero_shot": zero_shot_model(table)}
    if ERM_BUNDLE in card["files"]:
        models["erm"] = read_run_bundle(run, card, ERM_BUNDLE)
    models[card["method"]] = read_run_bundle(run, card)
    return [Stage.of(name, model, table, rows) for name, model in models.items()]


def zero_shot_model(table: FeatureTable) -> Model:
    """Return the pretrained model of a table: its prompts, or centred class centroids where it has none."""
    rows = table.rows("train")
    if table.head.text is not None:
        # With text no row is looked at, but `fit` asks for one of each class; twice, or scikit-learn takes a
        # thousand classes for a regression and warns.
        rows = np.tile(rows[np.unique(table.y[rows], return_index=True)[1]], 2)
    return make("zero_shot", head=table.head).fit(table.stored(rows), table.labels(rows)).model_
