"""Figures that papers print, to stand beside ours: read, not run."""

from __future__ import annotations

import csv
from importlib import resources

from pydantic import BaseModel


class Published(BaseModel):
    """One line of a published table; rates are fractions.

    Attributes
    ----------
    dataset : str
        Registry name of the benchmark.
    backbone, method : str
        As the source calls them.
    worst_group, average : float
        Which average is meant is the source's choice.
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
    """Return what is known of a benchmark, in the order of the sources; empty where nothing is."""
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
