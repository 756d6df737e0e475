"""How far classes differ along directions, with a standard error over rows."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Floats, Ints

LEAST_SPREAD = 1e-4
"""A direction along which rows vary less within classes counts as constant: float32 is no more exact."""


def class_contrast(z: Floats, y: Ints, directions: Floats, n_classes: int) -> tuple[Floats, Floats]:
    """Compare each class with the mean of the other classes along each direction.

        d_cv = (m_cv − mean over k ≠ c of m_kv) / σ_v
        se_cv² = 1/n_c + Σ_{k≠c} 1/((C − 1)² n_k) + d_cv² / (2 (N − C))

    m_cv is the mean of z_i·t_v over class c, and σ_v the pooled standard deviation of z_i·t_v within classes,
    which divides by N − C. d is Cohen's d if there are two classes. A direction along which nothing varies
    has d = 0.

    Parameters
    ----------
    z : float [N, D]
        Rows, N > C.
    y : int64 [N]
        Codes of the classes; each has a row.
    directions : float [V, D]
        t_v.
    n_classes : int
        C ≥ 2.

    Returns
    -------
    d, se : float64 [C, V]
        Differences in standard deviations, and their standard errors.

    References
    ----------
    L. V. Hedges, I. Olkin, Statistical Methods for Meta-Analysis, Academic Press 1985, §5.

    Examples
    --------
    >>> z = np.array([[1.0, 0], [3, 0], [-1, 0], [-3, 0]])
    >>> d, se = class_contrast(z, np.array([0, 0, 1, 1]), np.eye(2), n_classes=2)
    >>> d.round(2).tolist(), se[:, 0].round(2).tolist()
    ([[2.83, 0.0], [-2.83, 0.0]], [1.73, 1.73])
    """
    rows = z.astype(np.float64)
    t = directions.astype(np.float64)
    counts = np.bincount(y, minlength=n_classes).astype(np.float64)
    sums = np.zeros((n_classes, rows.shape[1]))
    np.add.at(sums, y, rows)
    means = sums / counts[:, None]
    left = len(rows) - n_classes
    centered = rows - means[y]
    within = centered.T @ centered / left
    spread = np.sqrt(np.maximum(((t @ within) * t).sum(axis=1), 0))
    d = _beyond_others(means) @ t.T / np.where(spread > LEAST_SPREAD, spread, np.inf)
    inverse = 1 / counts
    others = (inverse.sum() - inverse) / (n_classes - 1) ** 2
    return d, np.sqrt((inverse + others)[:, None] + d**2 / (2 * left))


def _beyond_others(means: Floats) -> Floats:
    """Return each class's mean [C, D] minus the mean of the others."""
    found: Floats = means - (means.sum(axis=0) - means) / (len(means) - 1)
    return found
