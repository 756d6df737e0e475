"""A mixture over features, labels and predictions, whose components gather rows that err alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from sklearn.cluster import KMeans

from evenhand._typing import Floats, Ints

FLOOR = 1e-6
"""Least variance relative to the largest, and least probability: keeps every logarithm finite."""


@dataclass(frozen=True)
class ErrorMixture:
    """K components, each a diagonal Gaussian × a distribution of labels × one of predictions.

    Attributes
    ----------
    log_share : float [K]
        log π_k.
    mean, variance : float [K, D]
        Of the Gaussians.
    log_label, log_predicted : float [K, C]
        log p_k(y) and log p_k(ŷ).
    weight : float
        γ.
    """

    log_share: Floats
    mean: Floats
    variance: Floats
    log_label: Floats
    log_predicted: Floats
    weight: float

    def log_joint(self, x: Floats, y: Ints, predicted: Ints | None = None) -> Floats:
        """Return log π_k + log N(x_i; μ_k, σ²_k) + γ log p_k(y_i) + γ log p_k(ŷ_i), [N, K].

        Without predictions their term is left out: membership is then blind to right and wrong.
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
    """Maximise Σ_i log Σ_k π_k N(x_i; μ_k, σ²_k) p_k(y_i)^γ p_k(ŷ_i)^γ by EM.

    With γ ≠ 1 the summands are no densities, but the argument for EM holds: given responsibilities r_ik, the
    M-step maximises Σ r_ik log(summand), so that no step lowers the objective. It starts from clusters within
    the cells (label, prediction), the more frequent cells having more of them: errors have components of
    their own from the start.

    Parameters
    ----------
    x : float [N, D]
        Features, few columns (such as principal components).
    y, predicted : int64 [N]
        Codes below `n_classes`.
    n_classes, components : int
        C, K; fewer components where there are fewer rows.
    weight : float
        γ: how much labels and predictions weigh against features.
    steps, tolerance : int, float
        Largest number of steps, and the gain per row below which they end.

    Returns
    -------
    ErrorMixture, list of float
        The mixture, and the mean objective per row before each step.

    References
    ----------
    S. Eyuboglu et al., Domino, ICLR 2022, arXiv 2203.14960, section 4.
    """
    scale = max(float(x.var(axis=0).max()), np.finfo(np.float32).tiny)
    r = _start(x, y * n_classes + predicted, components)
    objective: list[float] = []
    for _ in range(steps):
        model = _maximise(r, x, y, predicted, n_classes, weight, FLOOR * scale)
        joint = model.log_joint(x, y, predicted)
        total = logsumexp(joint, axis=1, keepdims=True)
        objective.append(float(total.mean()))
        if len(objective) > 1 and objective[-1] - objective[-2] < tolerance:
            break
        r = np.exp(joint - total)
    return model, objective


def _maximise(
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
    """Return responsibilities [N, K] of clusters within cells [N]; rows of cells without any are spread."""
    cells, counts = np.unique(cell, return_counts=True)
    given = np.zeros(len(cells), dtype=np.int64)
    for _ in range(components):
        # Square roots, so that the few rows of an error cell get their share.
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
