"""Figures of rows compared within their class: margins over the mean, residuals, skewness."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Bools, Floats, Ints


def mean_margins(logits: Floats, y: Ints) -> Floats:
    """Return each row's own logit minus the mean of the others, float64 [N].

    Over the *largest* other logit a margin is skewed by itself where there are more than two classes.

    Parameters
    ----------
    logits : float [N, C]
        C ≥ 2.
    y : int64 [N]
        True codes.
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


def standardised(x: Floats, y: Ints) -> Floats:
    """Return x [N] with mean 0 and variance 1 within each class of y [N]; 0 where a class is constant."""
    out = np.zeros(len(x))
    for code in np.unique(y):
        rows = y == code
        centred = x[rows] - x[rows].mean()
        spread = float(np.sqrt((centred**2).mean()))
        # Rounding alone makes a constant vary, by about one part in 10^16.
        if spread > 1e-9 * (1e-300 + float(np.abs(x[rows]).max())):
            out[rows] = centred / spread
    return out


def residuals(s: Floats, z: Floats, y: Ints, trusted: Bools, share: float = 1.0) -> Floats:
    """Return what s reads beyond z, standardized within each class, [N].

    r = s − share · max(0, β) z with both standardized within class, and β by least squares over the trusted
    rows.

    Parameters
    ----------
    s, z : float [N]
        Margins of the shortcut probe, and of who knows the classes.
    y : int64 [N]
        Codes.
    trusted : bool [N]
        Rows that β is fitted on.
    share : float
        Under 1 where z leans on what s reads, so that not all of it is taken away.
    """
    s, z = standardised(s, y), standardised(z, y)
    power = float((z[trusted] ** 2).sum())
    slope = max(0.0, float(s[trusted] @ z[trusted]) / power) if power > 0 else 0.0
    return standardised(s - share * slope * z, y)


def left_skewness(r: Floats, y: Ints) -> float:
    """Return minus the mean over classes of the skewness of r [N]; classes of fewer than 3 rows are left out.

    Positive where a few rows lie far below the rest. Of n normal rows it has a standard error near √(6/n).
    """
    found = []
    for code in np.unique(y):
        mine = r[y == code]
        centred = mine - mine.mean()
        variance = float((centred**2).mean())
        if len(mine) > 2:
            found.append(float((centred**3).mean()) / variance**1.5 if variance > 1e-18 else 0.0)
    return -float(np.mean(found)) if found else 0.0
