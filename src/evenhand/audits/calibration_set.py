"""The rows that a run calibrates on, and where they are in its store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Ints
from evenhand.data.table import FeatureTable
from evenhand.runs.contents import CALIBRATION_SET, RunContents


@dataclass(frozen=True)
class CalibrationRows:
    """A run's calibration set.

    Attributes
    ----------
    records : sequence of A dicts
        As `fit` wrote them: id, label, margin and more.
    rows : int64 [A]
        Their row numbers in the store.
    """

    records: Sequence[Mapping[str, Any]]
    rows: Ints


def calibration_rows(run: RunContents | None, table: FeatureTable) -> CalibrationRows:
    """Find a run's calibration set in its store; it is empty without a run, or if the method has none.

    Raises
    ------
    EvenhandError
        If it names rows that the store lacks.
    """
    if run is None or not run.calibration_set:
        return CalibrationRows([], np.zeros(0, dtype=np.int64))
    records = run.calibration_set
    numbers = {name: row for row, name in enumerate(table.ids.tolist())}
    if missing := [one.get("id") for one in records if one.get("id") not in numbers]:
        raise EvenhandError(
            f"{run.folder}: {CALIBRATION_SET} names the row {missing[0]!r}, which the store lacks; "
            "run fit again"
        )
    return CalibrationRows(records, np.array([numbers[one["id"]] for one in records], dtype=np.int64))
