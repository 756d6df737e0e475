"""A one-dimensional mixture of two normal parts with one variance: which rows lie in the lower part."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from evenhand._typing import Floats, Ints

STEPS = 200
LEAST = 1e-3
"""Least share of the lower part, and least variance relative to that of all rows."""


def lower_part(r: Floats) -> Floats:
    """Return P(lower part) of every row, float64 [N], by EM from the quantiles 0.1 and 0.6.

    The density is π N(μ₁, σ²) + (1 − π) N(μ₂, σ²), with π at most ½: the lower part is the smaller one.

    Parameters
    ----------
    r : float [N]
        Any numbers. Where they are constant no row is low.
    """
    r = r.astype(np.float64)
    total = float(r.var())
    if total < 1e-18:
        return np.zeros(len(r))
    low, high = np.quantile(r, [0.1, 0.6])
    variance, share = total, 0.1
    part = np.zeros(len(r))
    for _ in range(STEPS):
        part = expit(np.log(share / (1 - share)) + ((r - high) ** 2 - (r - low) ** 2) / (2 * variance))
        size = float(part.sum())
        new_share = float(np.clip(size / len(r), LEAST, 0.5))
        low = float(part @ r) / max(size, 1e-9)
        high = float((1 - part) @ r) / max(len(r) - size, 1e-9)
        variance = max(float((part * (r - low) ** 2 + (1 - part) * (r - high) ** 2).mean()), LEAST * total)
        done = abs(new_share - share) < 1e-9
        share = new_share
        if done:
            break
    return part


def lower_parts(r: Floats, y: Ints) -> Floats:
    """Return `lower_part` of the rows of each class of y [N] on their own, [N]."""
    out = np.zeros(len(r))
    for code in np.unique(y):
        rows = y == code
        out[rows] = lower_part(r[rows])
    return out


def separation(r: Floats, low: Floats, y: Ints) -> float:
    """Return how far apart the parts lie: the mean over classes of (μ₂ − μ₁) / σ.

    A constant class, and one without a lower part, count 0.

    Parameters
    ----------
    r, low : float [N]
        Numbers, and P(lower part) of each.
    y : int64 [N]
        Codes.
    """
    found = []
    for code in np.unique(y):
        mine, part = r[y == code], low[y == code]
        middles = [float(w @ mine) / max(float(w.sum()), 1e-9) for w in (part, 1 - part)]
        variance = sum(float(w @ (mine - m) ** 2) for w, m in zip((part, 1 - part), middles, strict=True))
        spread = float(np.sqrt(variance / len(mine)))
        found.append((middles[1] - middles[0]) / spread if spread > 1e-9 and part.any() else 0.0)
    return float(np.mean(found))
