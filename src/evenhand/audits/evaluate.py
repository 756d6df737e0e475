"""The models that an audit or a report looks at, and what each predicts on held-out rows: computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Ints, Strings
from evenhand.audits.slices import SlicedRows, halves
from evenhand.data.partition import SplitRows, parts
from evenhand.data.table import FeatureTable
from evenhand.evaluation.evaluated_rows import EvaluatedRows
from evenhand.evaluation.results import ResultRow
from evenhand.methods._training.rows import RowView
from evenhand.runs.contents import RunContents
from evenhand.runs.models import Stage, predicted_stages, zero_shot_model

MOST = 20_000
"""Rows that are sliced; a larger set is sampled with the seed."""


@dataclass(frozen=True)
class EvaluatedModels:
    """A run's models, or the pretrained model alone, with their predictions on held-out rows.

    Attributes
    ----------
    table : FeatureTable
        The store, with its groups.
    seed : int
        The run's seed, or the audit's seed without a run.
    split : SplitRows
        Which rows trained and which evaluate.
    on_test : list of Stage
        Every model on `split.test`: the pretrained one, ERM if the run has it, and the run's own.
    on_sliced : list of Stage
        The same models on `rows`.
    rows : SlicedRows
        The rows that are sliced, embedded by the pretrained model.
    notes : tuple of str
        What the user should know about the choice of rows, one sentence each.
    run : RunContents or None
        The run; None without one.
    """

    table: FeatureTable
    seed: int
    split: SplitRows
    on_test: list[Stage]
    on_sliced: list[Stage]
    rows: SlicedRows
    notes: tuple[str, ...]
    run: RunContents | None

    @property
    def kept(self) -> dict[str, Any]:
        """What the run's fit kept; empty without a run."""
        return {} if self.run is None else self.run.kept

    @property
    def audited(self) -> list[Stage]:
        """The models whose errors are sliced, on the sliced rows: the last two, before first."""
        return self.on_sliced[-2:]

    @property
    def pair(self) -> tuple[Stage, Stage]:
        """Before and after on the test rows; a run of zero-shot has one model, which is both."""
        return self.on_test[-2:][0], self.on_test[-1]

    @property
    def newly_correct(self) -> Bools:
        """Whether each test row is correct after, and was not before."""
        before, after = self.pair
        return ~before.right & after.right

    @property
    def newly_wrong(self) -> Bools:
        """Whether each test row was correct before, and is not after."""
        before, after = self.pair
        return before.right & ~after.right

    @cached_property
    def evaluated(self) -> EvaluatedRows:
        """The test rows, as an evaluation takes them."""
        return EvaluatedRows.of(self.table, self.split)

    def groups(self, rows: Ints) -> Strings | None:
        """Return "label / value" for rows of the store; None without an attribute."""
        return None if self.table.grouped is None else self.table.grouped.of(rows)

    def result(self, stage: Stage, **facts: Any) -> ResultRow:
        """Evaluate one of `on_test`, paired with ERM if the run has it, with more facts of its fit."""
        erm = next((one.right for one in self.on_test if one.name == "erm"), None)
        return self.evaluated.result_row(
            stage.right,
            erm,
            figures=self.evaluated.figures(stage.predicted, stage.logits),
            method=stage.name,
            seed=self.seed,
            **facts,
        )


def evaluate_models(
    table: FeatureTable, seed: int, run: RunContents | None, device: str = "cpu"
) -> EvaluatedModels:
    """Let a run's models predict, or the pretrained model without a run.

    Parameters
    ----------
    table : FeatureTable
        The store, with its groups.
    seed : int
        Seed of the halves and of the sample.
    run : RunContents or None
        The run.
    device : str, default="cpu"
        Torch device of the models.

    Raises
    ------
    EvenhandError
        If the table has no rows to evaluate on.
    """
    given = run is not None and run.card["validation_from"] == "given"
    numbers, notes = _sliced_rows(table, given=given, seed=seed)
    split = parts(table, "given" if given else "train")
    asked = np.union1d(split.test, numbers)
    name = "class_centroids" if run is None and table.head.text is None else "zero_shot"
    models = {name: zero_shot_model(table), **({} if run is None else run.models)}
    stages = predicted_stages(models, table, asked, device)
    y = table.y[numbers]
    z = stages[0].model.to(device).embed(RowView.of(table.stored(numbers), device))
    return EvaluatedModels(
        table,
        seed if run is None else run.card["seed"],
        split,
        [_at(stage, np.searchsorted(asked, split.test)) for stage in stages],
        [_at(stage, np.searchsorted(asked, numbers)) for stage in stages],
        SlicedRows(z, y, table.classes, numbers, halves(y, seed)),
        tuple(notes),
        run,
    )


def _at(stage: Stage, places: Ints) -> Stage:
    return replace(
        stage,
        predicted=stage.predicted[places],
        margins=stage.margins[places],
        right=stage.right[places],
        logits=None if stage.logits is None else stage.logits[places],
    )


def _sliced_rows(table: FeatureTable, *, given: bool, seed: int) -> tuple[Ints, list[str]]:
    """Return validation and test rows, or a sample of them; only test rows where validation rows chose."""
    splits = ("test",) if given and len(table.rows("test")) else ("validation", "test")
    rows: Ints = np.sort(np.concatenate([table.rows(split) for split in splits]))
    notes = []
    if len(splits) == 1:
        notes.append("slices come from the test split, because the run was chosen on the validation split")
    if len(rows) > MOST:
        notes.append(f"slices and probes use {MOST:,} of {len(rows):,} rows, drawn with seed {seed}")
        rows = np.sort(numpy_stream(seed, "audit", "rows").choice(rows, MOST, replace=False))
    return rows, notes
