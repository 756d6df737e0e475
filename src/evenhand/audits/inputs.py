"""Which models an audit looks at, and on which rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats, Ints
from evenhand.audits.slices import SlicedRows, halves
from evenhand.data.partition import parts
from evenhand.data.table import FeatureTable
from evenhand.evaluation.result_row import result_row
from evenhand.evaluation.results import ResultRow
from evenhand.methods._training.model import Model
from evenhand.runs.card import read_card, read_result
from evenhand.runs.models import BLOCK, Stage, read_stages, zero_shot_model

MOST = 20_000
"""Rows that are sliced; of more a seeded sample is taken."""


@dataclass(frozen=True)
class Audited:
    """Models on rows that none of them was trained or chosen on.

    Attributes
    ----------
    found : list of ResultRow
        The evaluation of each audited model on the evaluation split, before first.
    tested : list of Stage
        The same models on the evaluation split.
    test : int64 [M]
        Its row numbers in the store.
    stages : list of Stage
        The same models on the rows that are sliced.
    pretrained : Model
        Zero-shot, whose embeddings are sliced.
    pretrained_right : bool [N]
        Where it is right on these rows.
    rows : SlicedRows
        The rows that are sliced.
    notes : tuple of str
        What the user should know of the choice, one sentence each.
    """

    found: list[ResultRow]
    tested: list[Stage]
    test: Ints
    stages: list[Stage]
    pretrained: Model
    pretrained_right: Bools
    rows: SlicedRows
    notes: tuple[str, ...]


def audited(table: FeatureTable, column: str | None, seed: int, run: Path | None) -> Audited:
    """Evaluate zero-shot, or a run and what it started from.

    Raises
    ------
    EvenhandError
        If the table has no rows to evaluate on, or the run is damaged or another store's.
    """
    card = None if run is None else _card(run, table)
    parted = parts(table, "train" if card is None else card["validation_from"])
    if run is None or card is None:
        name = "class_centroids" if table.head.text is None else "zero_shot"
        every = [Stage.of(name, zero_shot_model(table), table, parted.test)]
    else:
        every = read_stages(run, card, table, parted.test)
    pretrained, stages = every[0].model, every[-2:]
    told: Mapping[str, Any] = {} if run is None else _told(run)
    erm_right = next((stage.right for stage in stages if stage.name == "erm"), None)
    found = [
        result_row(
            table,
            parted,
            stage.right,
            erm_right,
            column=column,
            method=stage.name,
            seed=seed if card is None else card["seed"],
            **(told if card is not None and stage is stages[-1] else {}),
        )
        for stage in stages
    ]
    numbers, notes = _rows(table, given=bool(card and card["validation_from"] == "given"), seed=seed)
    y = table.y[numbers]
    rows = SlicedRows(_embedded(pretrained, table, numbers), y, table.classes, numbers, halves(y, seed))
    on_rows = [Stage.of(stage.name, stage.model, table, numbers) for stage in stages]
    right = Stage.of("zero_shot", pretrained, table, numbers).right
    return Audited(found, stages, parted.test, on_rows, pretrained, right, rows, tuple(notes))


def _card(run: Path, table: FeatureTable) -> dict[str, Any]:
    card = read_card(run)
    if card["store_card"] != table.card or card["classes"] != list(table.classes):
        raise EvenhandError(f"run: {run} was fitted on another store; audit the store that its card names")
    return card


def _told(run: Path) -> dict[str, Any]:
    """Return what only the fit knew: its use of group labels, its choice."""
    row = ResultRow.model_validate(read_result(run))
    return {
        "group_labels_used": row.group_labels_used,
        "needs": row.needs,
        "selection": row.selection,
        "kept": row.kept,
    }


def _rows(table: FeatureTable, *, given: bool, seed: int) -> tuple[Ints, list[str]]:
    """Return validation and test rows, or a sample of them; only test rows where validation rows chose."""
    splits = ("test",) if given and len(table.rows("test")) else ("validation", "test")
    rows: Ints = np.sort(np.concatenate([table.rows(split) for split in splits]))
    notes = []
    if len(splits) == 1:
        notes.append("slices are of the test split: the run was chosen on the validation split")
    if len(rows) > MOST:
        notes.append(f"slices and probes look at {MOST:,} of {len(rows):,} rows, drawn with seed {seed}")
        rows = np.sort(numpy_stream(seed, "audit", "rows").choice(rows, MOST, replace=False))
    return rows, notes


def _embedded(model: Model, table: FeatureTable, rows: Ints) -> Floats:
    blocks = [model.embed(table.features(rows[k : k + BLOCK])) for k in range(0, len(rows), BLOCK)]
    return np.concatenate(blocks)
