"""The first useful output: what the pretrained model gets wrong, before any training."""

from __future__ import annotations

from evenhand.audit.findings import Cost, Match, Probe, Slice, Suspect
from evenhand.data.table import FeatureTable
from evenhand.experiments.evaluation import group_column, result_row
from evenhand.experiments.results import ResultRow
from evenhand.experiments.splits import parts
from evenhand.methods.registry import make


class Audit(ResultRow):
    """The evaluation of one model, the run's or else zero-shot's, and what was found in its errors.

    models: the audited models, before first; slices and probes name them. before: the evaluation of the model
    before calibration, None without a run. slices: of every model, the surest first. slices_tested: how many
    were looked at, by model. words: where the vocabulary comes from, and how many words it has, or why there
    is none. sampled: rows that slices and probes looked at.
    """

    models: list[str] = []
    before: ResultRow | None = None
    slices: list[Slice] = []
    slices_tested: dict[str, int] = {}
    matches: list[Match] = []
    words: str | None = None
    probes: list[Probe] = []
    costs: list[Cost] = []
    suspects: list[Suspect] = []
    sampled: int = 0


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
