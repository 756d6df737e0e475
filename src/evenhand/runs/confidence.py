"""Calibrate the confidence of a fitted model: a temperature from rows that did not train it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import softmax

from evenhand._typing import Ints
from evenhand.data.partition import SplitRows
from evenhand.data.table import FeatureTable
from evenhand.evaluation.results import Confidence
from evenhand.functional.confidence import BINS, expected_calibration_error, fit_temperature
from evenhand.methods._training.model import Model


def calibrate_confidence(model: Model, table: FeatureTable, rows: SplitRows) -> tuple[Model, Confidence]:
    """Return the model with its logits divided by the temperature, and its error on the test rows.

    No prediction changes. If the model makes no error on the rows for the temperature, it is 1.

    Parameters
    ----------
    model : Model
        The fitted model.
    table : FeatureTable
        The data.
    rows : SplitRows
        Rows to fit the temperature on, and test rows for the expected calibration error.
    """
    assert rows.temperature is not None
    logits, y = model.logits(table.stored(rows.temperature)), table.y[rows.temperature]
    errors = int((logits.argmax(axis=1) != y).sum())
    temperature = fit_temperature(logits, y) if errors else 1.0
    calibrated = replace(
        model,
        logit_scale=model.logit_scale / temperature,
        intercept=(model.intercept / temperature).astype(np.float32),
    )
    return calibrated, Confidence(
        temperature=temperature,
        n=len(y),
        errors=errors,
        found_on="validation rows" if len(rows.validation) else "held-out training rows",
        bins=BINS,
        ece_before=_error(model, table, rows.test),
        ece_after=_error(calibrated, table, rows.test),
    )


def _error(model: Model, table: FeatureTable, rows: Ints) -> float:
    probabilities = softmax(model.logits(table.stored(rows)).astype(np.float64), axis=1)
    return expected_calibration_error(probabilities, table.y[rows])
