"""The placement of each row among rows of another kind by a score. AUROC is the mean placement."""

from __future__ import annotations

import numpy as np

from evenhand._typing import Floats


def placements(scores: Floats, others: Floats, weights: Floats) -> Floats:
    """Return the weighted share of other rows that each row scores above; ties count half.

        p_ki = Σ_j w_j ([s_ki > o_kj] + ½ [s_ki = o_kj]) / Σ_j w_j

    The mean over positives, with negatives as the others, is AUROC; DeLong's variance is that of these means.

    Parameters
    ----------
    scores : float [K, n]
        Scores by K models.
    others : float [K, m]
        Scores of the other rows.
    weights : float [m]
        w ≥ 0, not all 0.

    Returns
    -------
    float64 [K, n]

    References
    ----------
    E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44 (1988) 837.

    Examples
    --------
    >>> import numpy as np
    >>> placements(np.array([[0.5, 3.0]]), np.array([[0.0, 0.5, 2.0]]), np.ones(3)).tolist()
    [[0.5, 1.0]]
    """
    out = np.empty(scores.shape)
    for place, (mine, theirs) in enumerate(zip(scores, others, strict=True)):
        order = np.argsort(theirs)
        mass = np.concatenate([[0.0], np.cumsum(weights[order])])
        below, up_to = (np.searchsorted(theirs[order], mine, side) for side in ("left", "right"))
        out[place] = (mass[below] + mass[up_to]) / (2 * mass[-1])
    return out
