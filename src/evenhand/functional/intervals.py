"""Intervals for rates and for paired differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm, t

from evenhand._typing import Floats


def wilson(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a rate.

    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n) with p = successes/n and z the normal quantile.

    Parameters
    ----------
    successes, n : int
        Counts, 0 ≤ successes ≤ n.
    confidence : float
        Two-sided level.

    Returns
    -------
    low, high : float
        In [0, 1]; (nan, nan) when n = 0.

    References
    ----------
    E. B. Wilson, JASA 22 (1927) 209–212.
    """
    if n == 0:
        return float("nan"), float("nan")
    z = float(norm.ppf(0.5 + confidence / 2))
    rate = successes / n
    centre = rate + z * z / (2 * n)
    spread = z * float(np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)))
    scale = 1 + z * z / n
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def percentile_interval(draws: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Return the central `confidence` share of bootstrap draws [B]; (nan, nan) when none is finite."""
    finite = draws[np.isfinite(draws)]
    if finite.size == 0:
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return float(low), float(high)


def weighted_interval(values: Floats, lows: Floats, highs: Floats, weights: Floats) -> tuple[float, float]:
    """Return the interval of a weighted mean of independent rates from the intervals of the rates.

    θ = Σ w_g p_g;  θ − √Σ w_g² (p_g − l_g)²  to  θ + √Σ w_g² (u_g − p_g)², cut to [0, 1].

    Parameters
    ----------
    values, lows, highs : floats [G]
        p_g, l_g and u_g, such as Wilson's at one confidence.
    weights : floats [G]
        w_g, at least 0, summing to 1.

    References
    ----------
    G. Y. Zou, A. Donner, Statistics in Medicine 27 (2008) 1693–1702 (variance estimates recovered).
    """
    mean = float(weights @ values)
    below = float(np.sqrt(np.sum((weights * (values - lows)) ** 2)))
    above = float(np.sqrt(np.sum((weights * (highs - values)) ** 2)))
    return max(0.0, mean - below), min(1.0, mean + above)


def paired_interval(before: Floats, after: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a mean paired difference.

    d̄ ± z s/√n with d_i = after_i − before_i and s their standard deviation (n − 1); (nan, nan) when n < 2.

    Parameters
    ----------
    before, after : floats [N]
        Of the same rows.
    confidence : float
        Two-sided level.
    """
    if len(before) < 2:
        return float("nan"), float("nan")
    difference = after - before
    spread = float(norm.ppf(0.5 + confidence / 2) * difference.std(ddof=1) / np.sqrt(len(difference)))
    return float(difference.mean()) - spread, float(difference.mean()) + spread


def t_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """Return Student's t-interval of a mean.

    x̄ ± t s/√n with s the standard deviation (n − 1) and t the quantile of Student's distribution with n − 1
    degrees of freedom.

    Parameters
    ----------
    values : sequence of n float
        Independent values, such as one for each seed.
    confidence : float, default=0.95
        Two-sided level.

    Returns
    -------
    low, high : float
        (nan, nan) when n < 2.

    Examples
    --------
    >>> [round(bound, 3) for bound in t_interval([1.0, 2.0, 3.0])]
    [-0.484, 4.484]
    """
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    mean = float(np.mean(values))
    spread = float(t.ppf(0.5 + confidence / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return mean - spread, mean + spread
