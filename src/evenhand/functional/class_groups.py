"""Groups of classes that a model tells apart better than the classes in them."""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from evenhand._typing import Floats, Ints


def group_legibility(predicted: Ints, y: Ints, weights: Floats) -> float:
    """Return the accuracy above chance of predicting the group of a class, for the best division into groups.

    M[c, d] is the share of class c that is predicted as d. Average linkage of the distances 1 − (M + Mᵀ)/2
    merges the classes. Of every partition into k groups, 2 ≤ k ≤ C/2, the accuracy a is the mean over groups
    of the mean over their classes of the share that is predicted within the group; the value is the largest
    (a − 1/k) / (1 − 1/k). With fewer than four classes there is no such partition, and the value is 0.

    Parameters
    ----------
    predicted, y : int64 [N]
        Predicted and true class codes.
    weights : float [N]
        How much a row counts in its class, above 0.

    Examples
    --------
    Classes 0 and 1 are taken for each other, and so are 2 and 3.

    >>> import numpy as np
    >>> y = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    >>> group_legibility(np.array([0, 1, 0, 1, 2, 3, 2, 3]), y, np.ones(8))
    1.0
    """
    codes, y = np.unique(y, return_inverse=True)
    C = len(codes)
    if C < 4:
        return 0.0
    inside = np.zeros((C, 2 * C - 1))
    known = np.isin(predicted, codes)
    np.add.at(inside, (y[known], np.searchsorted(codes, predicted[known])), weights[known])
    inside /= np.bincount(y, weights, minlength=C)[:, None]
    M = inside[:, :C]
    tree = linkage(squareform(1 - (M + M.T) / 2, checks=False), "average")
    group, own, best = np.arange(C), M.diagonal().copy(), 0.0
    for merged, (left, right) in enumerate(tree[:-1, :2].astype(int), C):
        inside[:, merged] = inside[:, left] + inside[:, right]
        members = (group == left) | (group == right)
        group[members], own[members] = merged, inside[members, merged]
        k = 2 * C - 1 - merged
        if k <= C // 2:
            accuracy = (own / np.bincount(group)[group]).sum() / k
            best = max(best, float((accuracy - 1 / k) / (1 - 1 / k)))
    return best
