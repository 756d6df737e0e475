"""Calibrated confidence of a fitted model: a temperature from rows that it was not trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import softmax

from evenhand._errors import EvenhandError
from evenhand._random import child_seed
from evenhand._typing import Floats, Ints
from evenhand.data.partition import SplitRows
from evenhand.data.splits import hold_out
from evenhand.data.table import FeatureTable
from evenhand.evaluation.results import Confidence
from evenhand.functional.confidence import BINS, expected_calibration_error, fit_temperature
from evenhand.methods._training.model import Model


def apart_for_confidence(table: FeatureTable, rows: SplitRows, seed: int) -> tuple[SplitRows, Ints, str]:
    """Return the rows to fit on, those that the temperature is found on, and what to call these.

    Validation rows that are set apart already serve; without them a seeded fifth of every class leaves
    training for this alone, so that it has trained and chosen nothing.

    Raises
    ------
    EvenhandError
        If no class has the five rows that it takes.
    """
    if len(rows.validation):
        return rows, rows.validation, "validation rows"
    units = table.unit_codes(rows.train)
    kept, held = hold_out(table.y[rows.train], seed=child_seed(seed, "confidence"), units=units)
    if not len(held):
        raise EvenhandError(
            "confidence: it needs rows to hold out, but no class has 5 training rows; leave it out"
        )
    return replace(rows, train=rows.train[kept]), rows.train[held], "held-out training rows"


def calibrate_confidence(
    model: Model, table: FeatureTable, judged: Ints, found_on: str, test: Ints
) -> tuple[Model, Confidence]:
    """Return the model with its logits divided by the temperature, and the errors on the test rows.

    No prediction changes. Where no row is wrong, nothing tells how confident to be, and the temperature is 1.
    """
    logits, y = model.logits(table.stored(judged)), table.y[judged]
    errors = int((logits.argmax(axis=1) != y).sum())
    temperature = fit_temperature(logits, y) if errors else 1.0
    calibrated = replace(
        model,
        logit_scale=model.logit_scale / temperature,
        intercept=(model.intercept / temperature).astype(np.float32),
    )
    X, y = table.stored(test), table.y[test]
    return calibrated, Confidence(
        temperature=temperature,
        n=len(judged),
        errors=errors,
        found_on=found_on,
        bins=BINS,
        ece_before=_error(model.logits(X), y),
        ece_after=_error(calibrated.logits(X), y),
    )


def _error(logits: Floats, y: Ints) -> float:
    return expected_calibration_error(softmax(logits.astype(np.float64), axis=1), y)
