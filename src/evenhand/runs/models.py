"""The models of a run, zero-shot, ERM and the fitted method, and what they predict on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from evenhand._typing import Bools, Floats, Ints
from evenhand.data.table import FeatureTable
from evenhand.evaluation.labels import label
from evenhand.evaluation.metrics import empty_scores
from evenhand.methods._training.model import Model
from evenhand.methods._training.rows import RowView
from evenhand.methods.cfr.calibration_set import margins
from evenhand.methods.registry import make

BLOCK = 16_384
"""Number of rows whose features are in memory at a time."""


@dataclass(frozen=True)
class Stage:
    """One model of a run, with its predictions on M rows.

    Attributes
    ----------
    name : str
        `zero_shot`, `erm`, or the method of the run.
    model : Model
        The fitted model.
    predicted : int64 [M]
        Predicted class codes.
    margins : float32 [M]
        Logit of the true class minus the largest other logit.
    right : bool [M]
        Whether the prediction is correct.
    logits : float32 [M, C] or None
        Its logits; None if there are more than `MOST_SCORES`.
    """

    name: str
    model: Model
    predicted: Ints
    margins: Floats
    right: Bools
    logits: Floats | None = None

    @property
    def title(self) -> str:
        """Its name as people write it."""
        return label(self.name)


def predicted_stages(
    models: Mapping[str, Model], table: FeatureTable, rows: Ints, device: str = "cpu"
) -> list[Stage]:
    """Return models with their predictions on `rows` [M].

    The rows are read block by block, once, and each block is moved to `device` once for all models.
    """
    there = {name: model.to(device) for name, model in models.items()}
    kept = {name: empty_scores(len(rows), len(table.classes)) for name in models}
    codes = {name: np.zeros(len(rows), np.int64) for name in models}
    found = {name: np.zeros(len(rows), np.float32) for name in models}
    for start in range(0, len(rows), BLOCK):
        place = slice(start, start + BLOCK)
        h, y = RowView.of(table.features(rows[place]), device), torch.from_numpy(table.y[rows[place]])
        for name, model in there.items():
            logits = model.logits(h)
            codes[name][place] = logits.argmax(axis=1)
            found[name][place] = margins(torch.from_numpy(logits), y).numpy()
            if (scores := kept[name]) is not None:
                scores[place] = logits
    return [
        Stage(name, model, codes[name], found[name], codes[name] == table.y[rows], kept[name])
        for name, model in models.items()
    ]


def zero_shot_model(table: FeatureTable) -> Model:
    """Return the zero-shot model of a table: from its prototypes, or from class centroids if it has none."""
    rows = table.rows("train")
    if table.head.text is not None:
        # Zero-shot with text uses no rows, but `fit` needs each class. Each comes twice: scikit-learn would
        # take a thousand labels that all differ for a regression target, and warn.
        rows = np.tile(rows[np.unique(table.y[rows], return_index=True)[1]], 2)
    return make("zero_shot", head=table.head).fit(table.stored(rows), table.labels(rows)).model_
