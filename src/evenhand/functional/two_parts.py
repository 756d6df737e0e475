"""A one-dimensional mixture of two normal parts with one variance: which rows lie in the lower part."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from evenhand._typing import Floats, Ints

STEPS = 200
LEAST = 1e-3
"""Least share of the lower part, and least variance relative to that of all rows."""


def lower_parts(r: Floats, y: Ints) -> Floats:
    """Return P(lower part) of every row in its class, float64 [N], by EM from the quantiles 0.1 and 0.6.

    In each class on its own the density is π N(μ₁, σ²) + (1 − π) N(μ₂, σ²), with π at most ½: the lower part
    is the smaller one.

    Parameters
    ----------
    r : float [N]
        Any numbers. If they are constant in a class, none of its rows is low.
    y : int64 [N]
        Class codes.
    """
    r = r.astype(np.float64)
    codes, counts = np.unique(y, return_inverse=True, return_counts=True)[1:]

    def mean(values: Floats, sizes: Floats | Ints) -> Floats:
        """Return the sums of each class over its size, [C]."""
        means: Floats = np.bincount(codes, values, minlength=len(counts)) / np.maximum(sizes, 1e-9)
        return means

    apart = np.split(r[np.argsort(codes, kind="stable")], np.cumsum(counts)[:-1])
    low, high = np.transpose([np.quantile(mine, [0.1, 0.6]) for mine in apart])
    total = mean((r - mean(r, counts)[codes]) ** 2, counts)
    varied = total >= 1e-18
    variance, share = np.where(varied, total, 1.0), np.full(len(counts), 0.1)
    part = np.zeros(len(r))
    for _ in range(STEPS):
        distance = (r - high[codes]) ** 2 - (r - low[codes]) ** 2
        part = expit(logit(share)[codes] + distance / (2 * variance[codes]))
        size = mean(part, np.ones(len(counts)))
        before, share = share, np.clip(size / counts, LEAST, 0.5)
        low, high = mean(part * r, size), mean((1 - part) * r, counts - size)
        spread = part * (r - low[codes]) ** 2 + (1 - part) * (r - high[codes]) ** 2
        variance = np.where(varied, np.maximum(mean(spread, counts), LEAST * total), 1.0)
        if np.abs(share - before)[varied].max(initial=0.0) < 1e-9:
            break
    return np.where(varied[codes], part, 0.0)


def separation(r: Floats, low: Floats, y: Ints) -> float:
    """Return how far apart the parts lie: the mean over classes of (μ₂ − μ₁) / σ.

    A constant class, and one without a lower part, count 0.

    Parameters
    ----------
    r, low : float [N]
        Numbers, and P(lower part) of each.
    y : int64 [N]
        Class codes.
    """
    found = []
    for code in np.unique(y):
        mine, part = r[y == code], low[y == code]
        middles = [float(w @ mine) / max(float(w.sum()), 1e-9) for w in (part, 1 - part)]
        variance = sum(float(w @ (mine - m) ** 2) for w, m in zip((part, 1 - part), middles, strict=True))
        spread = float(np.sqrt(variance / len(mine)))
        found.append((middles[1] - middles[0]) / spread if spread > 1e-9 and part.any() else 0.0)
    return float(np.mean(found))
