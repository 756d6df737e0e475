"""Calibrate the confidence of a fitted model: a temperature from rows that did not train it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import softmax

from evenhand._typing import Floats, Ints
from evenhand.data.table import StoredRows
from evenhand.evaluation.results import Confidence
from evenhand.functional.confidence import BINS, expected_calibration_error, fit_temperature
from evenhand.methods._training.model import Model

Rows = tuple[Floats | StoredRows, Ints]
"""Features [N, D_in] and class codes [N]."""


def calibrate_confidence(model: Model, held_out: Rows, test: Rows, found_on: str) -> tuple[Model, Confidence]:
    """Return the model with its logits divided by the temperature, and its error on the test rows.

    No prediction changes. If the model makes no error on the held-out rows, the temperature is 1.

    Parameters
    ----------
    model : Model
        The fitted model.
    held_out : (features [M, D_in], int64 [M])
        Rows to fit the temperature on.
    test : (features [N, D_in], int64 [N])
        Rows for the expected calibration error.
    found_on : str
        What the results call the held-out rows.
    """
    X, y = held_out
    logits = model.logits(X)
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
        found_on=found_on,
        bins=BINS,
        ece_before=_error(model, test),
        ece_after=_error(calibrated, test),
    )


def _error(model: Model, rows: Rows) -> float:
    X, y = rows
    return expected_calibration_error(softmax(model.logits(X).astype(np.float64), axis=1), y)
