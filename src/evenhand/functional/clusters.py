"""Clusters of frozen features within classes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from evenhand._typing import Floats, Ints


@dataclass(frozen=True)
class ClassClusters:
    """Cluster centres within classes.

    Attributes
    ----------
    centres : float [K, D]
        One row per cluster.
    classes : int64 [K]
        The class of each cluster, ascending.
    """

    centres: Floats
    classes: Ints

    @classmethod
    def fit(cls, z: Floats, y: Ints, clusters: int, min_rows: int) -> ClassClusters:
        """Cluster the rows of each class by k-means; small clusters are left to the nearest large one.

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
        """
        found = [_large(z[y == code], clusters, min_rows) for code in np.unique(y)]
        classes = np.repeat(np.unique(y), [len(centres) for centres in found])
        return cls(np.concatenate(found), classes)

    def nearness(self, z: Floats, y: Ints) -> Floats:
        """Return minus the distance of z [M, D] to the centres of the row's class y, [M, K]; else −inf."""
        squares = (z**2).sum(axis=1)[:, None] - 2 * z @ self.centres.T + (self.centres**2).sum(axis=1)
        near: Floats = np.where(y[:, None] == self.classes, -np.sqrt(np.maximum(squares, 0)), -np.inf)
        return near


def class_clusters(z: Floats, y: Ints, clusters: int, min_rows: int) -> Ints:
    """Return the cluster numbers, within the class, of the rows that `ClassClusters.fit` clusters, [M]."""
    model = ClassClusters.fit(z, y, clusters, min_rows)
    first = np.searchsorted(model.classes, y)
    numbers: Ints = model.nearness(z, y).argmax(axis=1).astype(np.int64) - first
    return numbers


def _large(z: Floats, clusters: int, min_rows: int) -> Floats:
    k = min(clusters, len(z))
    with warnings.catch_warnings():
        # Duplicate rows leave fewer distinct clusters than asked for, which is no error here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(k, n_init=3, random_state=0).fit(z)
    counts = np.bincount(model.labels_, minlength=k)
    centres: Floats = model.cluster_centers_[counts >= min(min_rows, counts.max())]
    return centres
