"""How strongly two columns of categories go together."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Floats, Ints
from evenhand.functional.intervals import percentile_interval


def cramers_v(counts: Floats, draws: int = 1) -> Floats:
    """Return bias-corrected Cramér's V of tables of counts: 0 for independent columns, 1 for copies.

        φ² = Σ (n_ij − e_ij)² / e_ij / n,  e_ij = n_i· n_·j / n
        V = √( max(0, φ² − d (r−1)(k−1)/(n−1)) / min(r̃ − 1, k̃ − 1) ),  r̃ = r − d (r−1)²/(n−1), k̃ likewise

    r and k are the numbers of rows and columns of a table that have counts, d is `draws`. What is subtracted
    is what sampling adds to φ² of independent columns.

    Parameters
    ----------
    counts : float [..., R, K]
        n_ij, with at least two counts in all.
    draws : int, default=1
        How often these counts were drawn: 2 for a resample of a sample.

    Returns
    -------
    float64 [...]
        In [0, 1]; 0 if r or k is 1.

    References
    ----------
    W. Bergsma, A bias-correction for Cramér's V and Tschuprow's T, Journal of the Korean Statistical Society
    42 (2013) 323–328.

    Examples
    --------
    >>> cramers_v(np.array([[50.0, 0], [0, 50]])).round(2).item()
    1.0
    >>> cramers_v(np.array([[25.0, 25], [25, 25]])).item()
    0.0
    """
    n = counts.sum(axis=(-2, -1), keepdims=True)
    of_row, of_column = counts.sum(axis=-1, keepdims=True), counts.sum(axis=-2, keepdims=True)
    expected = of_row * of_column / n
    n = n[..., 0, 0]
    squares = ((counts - expected) ** 2 / np.where(expected > 0, expected, 1)).sum(axis=(-2, -1))
    r, k = (of_row > 0).sum(axis=(-2, -1)), (of_column > 0).sum(axis=(-2, -1))
    beyond = np.maximum(0, squares / n - draws * (r - 1) * (k - 1) / (n - 1))
    most = np.minimum(r - 1 - draws * (r - 1) ** 2 / (n - 1), k - 1 - draws * (k - 1) ** 2 / (n - 1))
    found: Floats = np.where(most > 0, np.sqrt(np.minimum(1, beyond / np.where(most > 0, most, 1))), 0.0)
    return found


def association_interval(
    a: Ints, b: Ints, confidence: float, generator: np.random.Generator, n_resamples: int = 999
) -> tuple[float, float, float]:
    """Return Cramér's V of two columns with its bootstrap interval over rows.

    Parameters
    ----------
    a, b : int64 [N]
        Codes from 0 on.
    confidence : float
        Two-sided level, between 0 and 1.
    generator : numpy.random.Generator
        Source of the resamples.
    n_resamples : int, default=999
        Number of resamples. Rows of one cell are exchangeable, so a resample is one multinomial draw. It
        has the noise of sampling twice, which is subtracted.

    Returns
    -------
    value, low, high : float

    Examples
    --------
    >>> a = np.arange(200) % 2
    >>> [round(v, 6) for v in association_interval(a, a, 0.95, np.random.default_rng(0))]
    [1.0, 1.0, 1.0]
    """
    counts = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(counts, (a, b), 1)
    drawn = generator.multinomial(len(a), counts.ravel() / len(a), size=n_resamples).astype(np.float64)
    low, high = percentile_interval(cramers_v(drawn.reshape(n_resamples, *counts.shape), draws=2), confidence)
    return float(cramers_v(counts)), low, high
