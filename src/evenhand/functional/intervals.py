"""Confidence intervals of rates and of paired differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

from evenhand._typing import Floats


def wilson(successes: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a rate.

        (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)

    with p = successes / n and z the quantile of the standard normal distribution at (1 + confidence) / 2.

    Parameters
    ----------
    successes, n : float, int
        Counts, 0 ≤ successes ≤ n.
    confidence : float, default=0.95
        Two-sided level, between 0 and 1.

    Returns
    -------
    low, high : float
        Between 0 and 1; nan if n = 0.

    References
    ----------
    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927) 209.

    Examples
    --------
    >>> from evenhand.functional import wilson
    >>> [round(bound, 3) for bound in wilson(8, 10)]
    [0.49, 0.943]
    """
    if n == 0:
        return float("nan"), float("nan")
    z = float(ndtri(0.5 + confidence / 2))
    rate = successes / n
    center = rate + z * z / (2 * n)
    spread = z * float(np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)))
    scale = 1 + z * z / n
    return max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)


def f1_interval(hits: int, errors: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of an F1 score, from Wilson's interval of the Jaccard index.

        F1 = 2J / (1 + J),  J = TP / (TP + FP + FN)

    J is the rate of hits among the rows that are of the class or predicted as it, and F1 grows with J.

    Parameters
    ----------
    hits, errors : int
        TP, and FP + FN.
    confidence : float, default=0.95
        Two-sided level, between 0 and 1.

    Returns
    -------
    low, high : float
        Between 0 and 1; nan if both counts are 0.

    Examples
    --------
    >>> [round(bound, 3) for bound in f1_interval(8, 2)]
    [0.658, 0.971]
    """
    low, high = wilson(hits, hits + errors, confidence)
    return 2 * low / (1 + low), 2 * high / (1 + high)


def logit_interval(value: float, error: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of an area between 0 and 1, symmetric on the scale of log odds.

        expit(logit(v) ± z SE / (v (1 − v)))

    At 0 and 1, and if the standard error is 0 or unknown, Wilson's interval of n rows takes its place,
    because the standard error is not informative there.

    Parameters
    ----------
    value, error : float
        v and its standard error SE.
    n : int
        Rows of the smaller side.
    confidence : float, default=0.95
        Two-sided level, between 0 and 1.

    Returns
    -------
    low, high : float
        Between 0 and 1; nan if v is.

    References
    ----------
    G. Qin, L. Hotilovac, Comparison of Non-parametric Confidence Intervals for the Area under the ROC Curve
    of a Continuous-scale Diagnostic Test, Statistical Methods in Medical Research 17 (2008) 207.

    Examples
    --------
    >>> [round(bound, 3) for bound in logit_interval(0.9, 0.05, n=20)]
    [0.752, 0.964]
    >>> logit_interval(1.0, 0.0, n=10) == wilson(10, 10)
    True
    """
    if np.isnan(value):
        return float("nan"), float("nan")
    if not 0 < value < 1 or not error > 0:
        return wilson(value * n, n, confidence)
    spread = float(ndtri(0.5 + confidence / 2)) * error / (value * (1 - value))
    low, high = expit(logit(value) + np.array([-spread, spread]))
    return float(low), float(high)


def percentile_interval(draws: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval that holds the central share of bootstrap values.

    Parameters
    ----------
    draws : float [B]
        A statistic on B resamples. Values that are not finite are left out.
    confidence : float, default=0.95
        The central share, between 0 and 1.

    Returns
    -------
    low, high : float
        The (1 − confidence) / 2 and (1 + confidence) / 2 quantiles; nan if no value is finite.

    Examples
    --------
    >>> import numpy as np
    >>> percentile_interval(np.arange(101.0), confidence=0.5)
    (25.0, 75.0)
    """
    finite = draws[np.isfinite(draws)]
    if finite.size == 0:
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return float(low), float(high)


def weighted_interval(values: Floats, lows: Floats, highs: Floats, weights: Floats) -> tuple[float, float]:
    """Return the interval of a weighted mean of independent rates, from the intervals of the rates.

        θ − √Σ w_g² (p_g − l_g)²  to  θ + √Σ w_g² (u_g − p_g)²,  θ = Σ w_g p_g

    The bounds are clipped to [0, 1].

    Parameters
    ----------
    values, lows, highs : float [G]
        Rates p_g with the bounds l_g and u_g of their intervals, all at one confidence level.
    weights : float [G]
        w_g, at least 0, which sum to 1.

    Returns
    -------
    low, high : float

    References
    ----------
    G. Y. Zou, A. Donner, Construction of Confidence Limits about Effect Measures, Statistics in Medicine 27
    (2008) 1693–1702 (the method of variance estimates recovery).

    Examples
    --------
    >>> import numpy as np
    >>> half = np.array([0.5, 0.5])
    >>> weighted_interval(half, lows=np.array([0.2, 0.1]), highs=np.array([0.8, 0.9]), weights=half)
    (0.25, 0.75)
    """
    mean = float(weights @ values)
    below = float(np.sqrt(np.sum((weights * (values - lows)) ** 2)))
    above = float(np.sqrt(np.sum((weights * (highs - values)) ** 2)))
    return max(0.0, mean - below), min(1.0, mean + above)


def paired_interval(before: Floats, after: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a mean paired difference, from the normal approximation.

        d̄ ± z s / √n,  d_i = after_i − before_i

    s is the standard deviation of the differences (with n − 1) and z the quantile of the standard normal
    distribution at (1 + confidence) / 2.

    Parameters
    ----------
    before, after : float [N]
        Two values of each row.
    confidence : float, default=0.95
        Two-sided level, between 0 and 1.

    Returns
    -------
    low, high : float
        nan if N is below 2.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = paired_interval(np.zeros(4), np.array([0.0, 1, 0, 1]))
    >>> round(low, 3), round(high, 3)
    (-0.066, 1.066)
    """
    if len(before) < 2:
        return float("nan"), float("nan")
    difference = after - before
    spread = float(ndtri(0.5 + confidence / 2) * difference.std(ddof=1) / np.sqrt(len(difference)))
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
    spread = float(stdtrit(n - 1, 0.5 + confidence / 2) * np.std(values, ddof=1) / np.sqrt(n))
    return mean - spread, mean + spread
