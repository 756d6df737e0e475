"""A mixture model over features, labels and predictions, whose components collect similar errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from sklearn.cluster import KMeans

from evenhand._typing import Floats, Ints

FLOOR = 1e-6
"""Least variance, relative to the largest, and least probability; both keep logarithms finite."""


@dataclass(frozen=True)
class ErrorMixture:
    """K components, each a diagonal Gaussian × a distribution of labels × a distribution of predictions.

    Attributes
    ----------
    log_share : float [K]
        log π_k, the logarithm of the share of each component.
    mean, variance : float [K, D]
        Mean μ_k and variance σ²_k of the Gaussians.
    log_label, log_predicted : float [K, C]
        log p_k(y) and log p_k(ŷ), the distributions of labels and of predictions.
    weight : float
        γ, the weight of labels and predictions relative to features.
    """

    log_share: Floats
    mean: Floats
    variance: Floats
    log_label: Floats
    log_predicted: Floats
    weight: float

    def log_joint(self, x: Floats, y: Ints, predicted: Ints | None = None) -> Floats:
        """Return log π_k + log N(x_i; μ_k, σ²_k) + γ log p_k(y_i) + γ log p_k(ŷ_i).

        Parameters
        ----------
        x : float [N, D]
            Features.
        y : int64 [N]
            Class codes.
        predicted : int64 [N] or None, default=None
            Predicted class codes. None drops the last term: membership then ignores whether a row is
            classified correctly.

        Returns
        -------
        float [N, K]
        """
        joint = self.log_share + _log_normal(x, self.mean, self.variance) + self.weight * self.log_label.T[y]
        if predicted is not None:
            joint = joint + self.weight * self.log_predicted.T[predicted]
        return np.asarray(joint)


def fit_mixture(
    x: Floats,
    y: Ints,
    predicted: Ints,
    n_classes: int,
    components: int,
    *,
    weight: float = 10.0,
    steps: int = 100,
    tolerance: float = 1e-4,
) -> tuple[ErrorMixture, list[float]]:
    """Fit an `ErrorMixture` by expectation maximization.

        maximize Σ_i log Σ_k π_k N(x_i; μ_k, σ²_k) p_k(y_i)^γ p_k(ŷ_i)^γ

    With γ ≠ 1 the terms of the inner sum are not densities, but the argument for EM still holds: for given
    responsibilities r_ik, the M-step maximizes Σ r_ik log(term), so no step lowers the objective. EM starts
    from k-means clusters within the cells (label, prediction). More frequent cells get more clusters, and
    errors have components of their own from the start.

    Parameters
    ----------
    x : float [N, D]
        Features with few dimensions, such as principal components.
    y, predicted : int64 [N]
        Labels and predictions, as class codes below `n_classes`.
    n_classes : int
        Number of classes C.
    components : int
        Number of components K; fewer if there are fewer rows.
    weight : float, default=10.0
        γ, the weight of labels and predictions relative to features.
    steps : int, default=100
        Largest number of EM steps.
    tolerance : float, default=1e-4
        EM stops when the objective per row grows by less than this.

    Returns
    -------
    mixture : ErrorMixture
    objective : list of float
        The mean objective per row before each step.

    References
    ----------
    S. Eyuboglu et al., Domino: Discovering Systematic Errors with Cross-Modal Embeddings, ICLR 2022,
    arXiv 2203.14960, §4.

    Examples
    --------
    >>> import numpy as np
    >>> y, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    >>> mixture, _ = fit_mixture(np.eye(4), y, predicted, n_classes=2, components=3)
    >>> mixture.log_joint(np.eye(4), y, predicted).argmax(axis=1).tolist()
    [0, 1, 2, 2]
    """
    scale = max(float(x.var(axis=0).max()), np.finfo(np.float32).tiny)
    r = _start(x, y * n_classes + predicted, components)
    objective: list[float] = []
    for _ in range(steps):
        model = _maximize(r, x, y, predicted, n_classes, weight, FLOOR * scale)
        joint = model.log_joint(x, y, predicted)
        total = logsumexp(joint, axis=1, keepdims=True)
        objective.append(float(total.mean()))
        if len(objective) > 1 and objective[-1] - objective[-2] < tolerance:
            break
        r = np.exp(joint - total)
    return model, objective


def _maximize(
    r: Floats, x: Floats, y: Ints, predicted: Ints, n_classes: int, weight: float, floor: float
) -> ErrorMixture:
    size = r.sum(axis=0)
    share = r / np.maximum(size, np.finfo(np.float64).tiny)
    mean = share.T @ x
    variance = np.maximum(share.T @ x**2 - mean**2, floor)

    def log_rates(codes: Ints) -> Floats:
        rates = np.zeros((n_classes, r.shape[1]))
        np.add.at(rates, codes, share)
        return np.asarray(np.log(np.maximum(rates.T, FLOOR)))

    log_share = np.log(np.maximum(size / len(x), np.finfo(np.float64).tiny))
    return ErrorMixture(log_share, mean, variance, log_rates(y), log_rates(predicted), weight)


def _log_normal(x: Floats, mean: Floats, variance: Floats) -> Floats:
    squares = x**2 @ (1 / variance).T - 2 * x @ (mean / variance).T + (mean**2 / variance).sum(axis=1)
    return np.asarray(-0.5 * (squares + np.log(2 * np.pi * variance).sum(axis=1)))


def _start(x: Floats, cell: Ints, components: int) -> Floats:
    """Return responsibilities [N, K] from clusters within cells [N]; rows of cells without one are spread."""
    cells, counts = np.unique(cell, return_counts=True)
    given = np.zeros(len(cells), dtype=np.int64)
    for _ in range(components):
        # Square roots give the few rows of an error cell clusters of their own.
        room = np.where(given < counts, np.sqrt(counts) / (given + 1), 0)
        if room.max() > 0:
            given[room.argmax()] += 1
    r = np.zeros((len(x), int(given.sum())))
    start = 0
    for name, k in zip(cells[given > 0], given[given > 0], strict=True):
        rows = np.flatnonzero(cell == name)
        distinct = min(int(k), len(np.unique(x[rows], axis=0)))
        r[rows, start + KMeans(distinct, n_init=1, random_state=0).fit(x[rows]).labels_] = 1
        start += int(k)
    r[r.sum(axis=1) == 0] = 1 / r.shape[1]
    return r
