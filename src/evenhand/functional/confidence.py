"""How well calibrated probabilities are, and the temperature that calibrates them."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import softmax

from evenhand._typing import Floats, Ints

BINS = 15
"""As in Guo et al."""
RANGE = (0.05, 20.0)
"""Allowed temperatures: where every row is classified correctly, the likelihood alone would choose 0."""


def expected_calibration_error(probabilities: Floats, y: Ints, bins: int = BINS) -> float:
    """Return the expected calibration error.

        ECE = Σ_b n_b / N · |accuracy_b − confidence_b|

    The confidence of a row is its largest probability. Bin b = 0 … B − 1 holds the n_b rows whose confidence
    lies in (b/B, (b+1)/B]; its accuracy and its confidence are means over these rows.

    Parameters
    ----------
    probabilities : float [N, C]
        Each row sums to 1; N is at least 1.
    y : int64 [N]
        Class codes.
    bins : int, default=15
        Number B of bins of equal width.

    Returns
    -------
    float
        Between 0 and 1; 0 is perfectly calibrated.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On Calibration of Modern Neural Networks, ICML 2017, eq. 3.

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.array([[0.75, 0.25]] * 4)
    >>> expected_calibration_error(probabilities, np.array([0, 0, 0, 1]))
    0.0
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == y
    number = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(number, correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(y))


def fit_temperature(logits: Floats, y: Ints) -> float:
    """Return the temperature T in [0.05, 20] that minimizes the mean cross-entropy of softmax(logits / T).

    The objective is convex in 1/T. Dividing all logits by T changes no prediction.

    Parameters
    ----------
    logits : float [N, C]
        Logits of held-out rows; N is at least 1.
    y : int64 [N]
        Class codes.

    Returns
    -------
    float
        T.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On Calibration of Modern Neural Networks, ICML 2017, §4.2.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.log(np.array([[0.75, 0.25]] * 4))
    >>> round(fit_temperature(logits * 2, np.array([0, 0, 0, 1])), 6)
    2.0
    """
    exact = logits.astype(np.float64)
    true = exact[np.arange(len(y)), y]

    def slope(inverse: float) -> float:
        """Return the derivative of the mean cross-entropy with respect to 1/T."""
        expected = (softmax(inverse * exact, axis=1) * exact).sum(axis=1)
        return float((expected - true).mean())

    low, high = 1 / RANGE[1], 1 / RANGE[0]
    if slope(low) >= 0:
        return RANGE[1]
    if slope(high) <= 0:
        return RANGE[0]
    return 1 / float(brentq(slope, low, high, xtol=1e-12))
