"""How far probabilities can be believed: expected calibration error, and the temperature that mends it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import softmax

from evenhand._typing import Floats, Ints

BINS = 15
"""As in the paper below."""
RANGE = (0.05, 20.0)
"""Temperatures that are tried: where every row is right, the likelihood alone would ask for 0."""


def expected_calibration_error(probabilities: Floats, y: Ints, bins: int = BINS) -> float:
    """Return Σ_b n_b/N · |accuracy_b − confidence_b|.

    The confidence of a row is its largest probability; bin b of B holds the rows with confidence in
    (b/B, (b+1)/B], b from 0; n_b counts its rows, and accuracy and confidence are their means.

    Parameters
    ----------
    probabilities : float [N, C]
        Rows that sum to 1; N at least 1.
    y : int64 [N]
        Class codes.
    bins : int
        B, of equal width.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On Calibration of Modern Neural Networks, ICML 2017, eq. 3.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == y
    number = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(number, right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(y))


def fit_temperature(logits: Floats, y: Ints) -> float:
    """Return the T in `RANGE` that minimises the mean cross-entropy of softmax(logits / T).

    It is convex in 1/T, and divides all logits of a row alike, so that no prediction changes.

    Parameters
    ----------
    logits : float [N, C]
        Of rows that trained nothing; N at least 1.
    y : int64 [N]
        Class codes.

    References
    ----------
    As `expected_calibration_error`, section 4.2.
    """
    exact = logits.astype(np.float64)
    chosen = exact[np.arange(len(y)), y]

    def slope(inverse: float) -> float:
        """Return the derivative of the mean cross-entropy by 1/T: expected minus chosen logits."""
        expected = (softmax(inverse * exact, axis=1) * exact).sum(axis=1)
        return float((expected - chosen).mean())

    low, high = 1 / RANGE[1], 1 / RANGE[0]
    if slope(low) >= 0:
        return RANGE[1]
    if slope(high) <= 0:
        return RANGE[0]
    return 1 / float(brentq(slope, low, high, xtol=1e-12))
