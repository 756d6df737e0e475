"""Figures that papers report, to show next to ours; they were copied, not reproduced."""

from __future__ import annotations

import csv
from importlib import resources

from pydantic import BaseModel


class Published(BaseModel):
    """One line of a published table; accuracies are fractions.

    Attributes
    ----------
    dataset : str
        Registry name of the benchmark.
    backbone, method : str
        Their names in the source.
    worst_group, average : float
        Accuracies; the source decides which average it reports.
    source : str
        Paper and table.
    """

    dataset: str
    backbone: str
    method: str
    worst_group: float
    average: float
    source: str


def published(dataset: str) -> list[Published]:
    """Return the published figures of a benchmark, ordered by source; empty if there are none.

    Examples
    --------
    >>> [row.method for row in published("waterbirds")][:2]
    ['zero-shot', 'linear probe']
    """
    text = resources.files("evenhand.bench").joinpath("published.csv").read_text("utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["dataset"] == dataset]
    return [
        Published(
            **{name: row[name] for name in ("dataset", "backbone", "method", "source")},
            worst_group=float(row["worst_group"]) / 100,
            average=float(row["average"]) / 100,
        )
        for row in rows
    ]
