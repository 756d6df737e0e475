"""Clusters of frozen features within classes."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from evenhand._typing import Floats, Ints


def class_clusters(z: Floats, y: Ints, clusters: int, min_rows: int) -> Ints:
    """Cluster the rows of each class by k-means; rows of small clusters join the nearest large one.

    Parameters
    ----------
    z : float [M, D]
        Unit features.
    y : int64 [M]
        Codes.
    clusters : int
        Clusters per class, fewer where a class has fewer rows.
    min_rows : int
        A cluster with fewer rows is small; the largest one of a class always stays.

    Returns
    -------
    int64 [M]
        Cluster numbers within the class.
    """
    found = np.zeros(len(y), dtype=np.int64)
    for code in np.unique(y):
        rows = np.flatnonzero(y == code)
        found[rows] = _merged(z[rows], min(clusters, len(rows)), min_rows)
    return found


def _merged(z: Floats, k: int, min_rows: int) -> Ints:
    with warnings.catch_warnings():
        # Duplicate rows leave fewer distinct clusters than asked for, which is no error here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(k, n_init=3, random_state=0).fit(z)
    counts = np.bincount(model.labels_, minlength=k)
    large = counts >= min(min_rows, counts.max())
    distance = np.where(large, model.transform(z), np.inf)
    merged: Ints = distance.argmin(axis=1).astype(np.int64)
    return merged
