"""Statistics of rows within their class: margins over the mean, residuals, skewness."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Bools, Floats, Ints


def mean_margins(logits: Floats, y: Ints) -> Floats:
    """Return each row's own logit minus the mean of the others, float64 [N].

    With the *largest* other logit instead, margins would be skewed by themselves if C > 2.

    Parameters
    ----------
    logits : float [N, C]
        C ≥ 2.
    y : int64 [N]
        True class codes.
    """
    own = logits[np.arange(len(y)), y].astype(np.float64)
    others = logits.sum(axis=1, dtype=np.float64) - own
    margins: Floats = own - others / (logits.shape[1] - 1)
    return margins


def leads(logits: Floats) -> Floats:
    """Return each row's largest logit minus its second largest, float64 [N], of logits [N, C] with C ≥ 2."""
    top = np.partition(logits, -2, axis=1)[:, -2:].astype(np.float64)
    out: Floats = top[:, 1] - top[:, 0]
    return out


def standardized(x: Floats, y: Ints) -> Floats:
    """Return x [N] with mean 0 and variance 1 within each class of y [N]; 0 if a class is constant."""
    out = np.zeros(len(x))
    for code in np.unique(y):
        rows = y == code
        centered = x[rows] - x[rows].mean()
        spread = float(np.sqrt((centered**2).mean()))
        # Rounding alone makes a constant vary, by about one part in 10^16.
        if spread > 1e-9 * (1e-300 + float(np.abs(x[rows]).max())):
            out[rows] = centered / spread
    return out


def residuals(s: Floats, z: Floats, y: Ints, trusted: Bools, share: float = 1.0) -> Floats:
    """Return what s reads beyond z, standardized within each class, [N].

    r = s − share · max(0, β) z with both standardized within class, and β by least squares over the trusted
    rows.

    Parameters
    ----------
    s, z : float [N]
        Margins of the shortcut probe, and of the model that knows the classes.
    y : int64 [N]
        Class codes.
    trusted : bool [N]
        Rows that β is fitted on.
    share : float
        Below 1 if z also relies on what s reads, so that not all of it is subtracted.
    """
    s, z = standardized(s, y), standardized(z, y)
    power = float((z[trusted] ** 2).sum())
    slope = max(0.0, float(s[trusted] @ z[trusted]) / power) if power > 0 else 0.0
    return standardized(s - share * slope * z, y)


def left_skewness(r: Floats, y: Ints) -> float:
    """Return the negative mean skewness of r [N] over classes; classes of fewer than 3 rows are left out.

    It is positive if a few rows lie far below the rest. For n normal rows, its standard error is near √(6/n).
    """
    found = []
    for code in np.unique(y):
        mine = r[y == code]
        centered = mine - mine.mean()
        variance = float((centered**2).mean())
        if len(mine) > 2:
            found.append(float((centered**3).mean()) / variance**1.5 if variance > 1e-18 else 0.0)
    return -float(np.mean(found)) if found else 0.0
