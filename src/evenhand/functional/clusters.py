"""k-means clusters within each class."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from evenhand._typing import Floats, Ints


@dataclass(frozen=True)
class ClassClusters:
    """Cluster centers within classes.

    Attributes
    ----------
    centers : float [K, D]
        One row per cluster.
    classes : int64 [K]
        Class code of each cluster, in ascending order.

    Examples
    --------
    >>> import numpy as np
    >>> z, y = np.array([[0.0, 1], [0, 1], [1, 0], [1, 0]]), np.array([0, 0, 0, 1])
    >>> ClassClusters.fit(z, y, clusters=2, min_rows=1).classes.tolist()
    [0, 0, 1]
    """

    centers: Floats
    classes: Ints

    @classmethod
    def fit(cls, z: Floats, y: Ints, clusters: int, min_rows: int) -> ClassClusters:
        """Cluster the rows of each class by k-means, and drop small clusters.

        Parameters
        ----------
        z : float [M, D]
            Unit embeddings.
        y : int64 [M]
            Class codes.
        clusters : int
            Clusters per class; a class with fewer rows has one cluster per row.
        min_rows : int
            Clusters with fewer rows are dropped. The largest cluster of a class always stays.
        """
        found = [_large(z[y == code], clusters, min_rows) for code in np.unique(y)]
        classes = np.repeat(np.unique(y), [len(centers) for centers in found])
        return cls(np.concatenate(found), classes)

    def nearness(self, z: Floats, y: Ints) -> Floats:
        """Return minus the Euclidean distance of each row to each center.

        Parameters
        ----------
        z : float [M, D]
            Unit embeddings.
        y : int64 [M]
            Class codes.

        Returns
        -------
        float [M, K]
            −inf if the cluster belongs to another class than the row.
        """
        squares = (z**2).sum(axis=1)[:, None] - 2 * z @ self.centers.T + (self.centers**2).sum(axis=1)
        near: Floats = np.where(y[:, None] == self.classes, -np.sqrt(np.maximum(squares, 0)), -np.inf)
        return near


def class_clusters(z: Floats, y: Ints, clusters: int, min_rows: int) -> Ints:
    """Cluster the rows of each class by k-means and return the cluster of each row.

    Parameters
    ----------
    z, y, clusters, min_rows
        As in `ClassClusters.fit`. A row of a dropped cluster goes to the nearest remaining one of its class.

    Returns
    -------
    int64 [M]
        Cluster numbers; each class counts from 0.

    Examples
    --------
    >>> import numpy as np
    >>> z, y = np.array([[0.0, 1], [0, 1], [1, 0], [1, 0]]), np.array([0, 0, 0, 1])
    >>> numbers = class_clusters(z, y, clusters=2, min_rows=1)
    >>> bool(numbers[0] == numbers[1] != numbers[2]), numbers[3].item()
    (True, 0)
    """
    model = ClassClusters.fit(z, y, clusters, min_rows)
    first = np.searchsorted(model.classes, y)
    numbers: Ints = model.nearness(z, y).argmax(axis=1).astype(np.int64) - first
    return numbers


def _large(z: Floats, clusters: int, min_rows: int) -> Floats:
    k = min(clusters, len(z))
    with warnings.catch_warnings():
        # Duplicate rows give fewer distinct clusters than requested; that is fine here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(k, n_init=3, random_state=0).fit(z)
    counts = np.bincount(model.labels_, minlength=k)
    centers: Floats = model.cluster_centers_[counts >= min(min_rows, counts.max())]
    return centers
