"""The first useful output: what the pretrained model gets wrong, before any training."""

from __future__ import annotations

from evenhand.data.table import FeatureTable
from evenhand.experiments.evaluation import group_column, result_row
from evenhand.experiments.results import ResultRow
from evenhand.experiments.splits import parts
from evenhand.methods.registry import make


def audit_table(table: FeatureTable, group_by: str | None = None, *, seed: int = 0) -> ResultRow:
    """Evaluate zero-shot prediction by class, and by group where attributes are known.

    Without text, centred class centroids of the training rows stand in for the prompts.
    """
    rows = parts(table, "train")
    model = make("zero_shot", head=table.head, random_state=seed)
    model.fit(table.features(rows.train), table.labels(rows.train))
    right = model.predict(table.features(rows.test)) == table.labels(rows.test)
    return result_row(
        table, rows, right, None, column=group_column(table, group_by), method="zero_shot", seed=seed
    )
