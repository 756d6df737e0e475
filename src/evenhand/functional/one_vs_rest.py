"""Rank one class against the others: its score, AUROC and average precision, with their standard errors."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Bools, Floats, Ints


def log_odds(logits: Floats) -> Floats:
    """Return the log odds of each class against all others.

        s_c = log(p_c / (1 − p_c)) = z_c − log Σ_{j ≠ c} exp z_j

    with p the softmax of z. It orders rows as p_c does, but never saturates at 1.

    Parameters
    ----------
    logits : float [N, C]
        z; C is at least 2.

    Returns
    -------
    float64 [N, C]

    Examples
    --------
    >>> import numpy as np
    >>> log_odds(np.array([[3.0, 1.0], [100.0, 0.0]])).tolist()
    [[2.0, -2.0], [100.0, -100.0]]
    """
    z = np.asarray(logits, dtype=np.float64)
    rows = np.arange(len(z))
    best = z.argmax(axis=1)
    top = z[rows, best]
    others = z.copy()
    others[rows, best] = -np.inf
    second = others.max(axis=1)
    below = np.exp(others - second[:, None]).sum(axis=1)  # of all but the best, relative to the second
    share = np.exp(z - top[:, None])
    # Only the best class may hold nearly all of the sum; its others are summed without it.
    rest = np.maximum(share.sum(axis=1, keepdims=True) - share, np.finfo(np.float64).tiny)
    odds: Floats = z - top[:, None] - np.log(rest)
    odds[rows, best] = top - second - np.log(below)
    return odds


def ranked_counts(scores: Floats, positive: Bools) -> tuple[Ints, Ints]:
    """Return how many positive and negative rows have each distinct score, from the highest down.

    Parameters
    ----------
    scores : float [N]
        A larger score means that positive is more likely.
    positive : bool [N]
        The truth.

    Returns
    -------
    positives, negatives : int64 [K]
        Counts for each of the K distinct scores.

    Examples
    --------
    >>> import numpy as np
    >>> found = ranked_counts(np.array([0.2, 0.9, 0.2]), np.array([True, True, False]))
    >>> [counts.tolist() for counts in found]
    [[1, 1], [0, 1]]
    """
    order = np.argsort(scores)[::-1]
    ordered = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])
    hits = positive[order].astype(np.int64)
    if not len(starts):
        return hits, hits
    return np.add.reduceat(hits, starts), np.add.reduceat(1 - hits, starts)


def auroc(positives: Ints, negatives: Ints) -> tuple[float, float]:
    """Return the area under the ROC curve with DeLong's standard error.

        A = mean_i a_i = mean_j b_j,  a_i = share of negatives below positive i (ties count half),
        b_j = share of positives above negative j,  SE² = var(a)/P + var(b)/Q

    over P positives and Q negatives, with variances that divide by n − 1.

    Parameters
    ----------
    positives, negatives : int64 [K]
        As from `ranked_counts`.

    Returns
    -------
    value, error : float
        The value is nan without a positive or a negative row, the error with fewer than two of either.

    References
    ----------
    E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Comparing the Areas under Two or More Correlated ROC
    Curves, Biometrics 44 (1988) 837; the fast form is that of X. Sun, W. Xu, IEEE Signal Processing Letters
    21 (2014) 1389.

    Examples
    --------
    >>> import numpy as np
    >>> auroc(np.array([1, 0, 1]), np.array([0, 1, 0]))[0]
    0.5
    """
    P, Q = int(positives.sum()), int(negatives.sum())
    if not P or not Q:
        return float("nan"), float("nan")
    below = (Q - np.cumsum(negatives) + negatives / 2) / Q
    above = (np.cumsum(positives) - positives / 2) / P
    value = float(below @ positives / P)
    return value, float(np.sqrt(_variance(below, positives) / P + _variance(above, negatives) / Q))


def average_precision(positives: Ints, negatives: Ints) -> tuple[float, float]:
    """Return the average precision with the standard error of the infinitesimal jackknife.

        AP = Σ_k p_k r_k / P,  r_k = P_k / (P_k + Q_k)

    with p_k positives at score k, and P_k positives and Q_k negatives at score k or above. The derivative of
    AP with respect to the weight of a row at score k is

        u_k = (r_k − AP + Σ_{l ≥ k} p_l Q_l / (P_l + Q_l)²) / P  of a positive,
        v_k = −Σ_{l ≥ k} p_l P_l / (P_l + Q_l)² / P              of a negative row,

    and SE² = P var(u) + Q var(v): the numbers of positives and negatives are held fixed, as DeLong does.

    Parameters
    ----------
    positives, negatives : int64 [K]
        As from `ranked_counts`.

    Returns
    -------
    value, error : float
        The value is nan without a positive or a negative row, the error with fewer than two of either.

    References
    ----------
    B. Efron, Nonparametric Standard Errors and Confidence Intervals, Canadian Journal of Statistics 9 (1981)
    139, §5.

    Examples
    --------
    >>> import numpy as np
    >>> round(average_precision(np.array([1, 0, 1]), np.array([0, 1, 0]))[0], 3)
    0.833
    """
    P, Q = int(positives.sum()), int(negatives.sum())
    if not P or not Q:
        return float("nan"), float("nan")
    hits, misses = np.cumsum(positives), np.cumsum(negatives)
    taken = (hits + misses).astype(np.float64)
    precision = hits / taken
    value = float(precision @ positives / P)
    of_positive = (precision - value + _from_here(positives * misses / taken**2)) / P
    of_negative = _from_here(positives * hits / taken**2) / P
    variance = P * _variance(of_positive, positives) + Q * _variance(of_negative, negatives)
    return value, float(np.sqrt(variance))


def _from_here(values: Floats) -> Floats:
    sums: Floats = np.cumsum(values[::-1])[::-1]
    return sums


def _variance(values: Floats, counts: Ints) -> float:
    """Return the variance, by n − 1, of values that occur `counts` times; nan for fewer than two."""
    n = int(counts.sum())
    if n < 2:
        return float("nan")
    mean = float(values @ counts / n)
    return float((values - mean) ** 2 @ counts / (n - 1))
