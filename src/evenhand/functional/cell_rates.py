"""Cells of weighted rows, and draws of candidates' worst rate from what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np

from evenhand._typing import Floats, Ints

Cell: TypeAlias = tuple[Ints, Floats]
"""Row numbers [n] and their weights [n], at least 0."""
Others: TypeAlias = Callable[[Ints, Floats], Floats]
"""Gives, for a cell, the same rate as a mean over the rows that it is compared with, [K, M]."""


def class_cells(trust: Floats, y: Ints) -> Iterator[Cell]:
    """Yield one cell per class of y [N], its rows weighing trust [N]."""
    for rows in _by_class(y):
        yield rows, trust[rows]


def soft_cells(low: Floats, trust: Floats, y: Ints) -> Iterator[Cell]:
    """Yield two cells per class: its rows weighed by P(lower part) [N] times trust [N], then by the rest."""
    for rows in _by_class(y):
        yield rows, trust[rows] * low[rows]
        yield rows, trust[rows] * (1 - low[rows])


def balancing_weights(low: Floats, trust: Floats, y: Ints) -> Floats:
    """Return Σ over a row's soft cells of its share of the cell's mass, [N]: every cell counts alike.

    A cell of less than one row counts as if it had one, so that a cell which hardly exists weighs little.
    """
    weights = np.zeros(len(y))
    for rows, mine in soft_cells(low, trust, y):
        weights[rows] += mine / max(1.0, float(mine.sum()))
    return weights


def draw_worst_rates(
    right: Floats,
    cells: Iterable[Cell],
    draws: int,
    generator: np.random.Generator,
    others: Others | None = None,
) -> Floats:
    """Draw the worst rate over cells of K candidates, the same rows for all candidates, [draws, K].

    One right and one wrong row are added to each cell. With S = Σ w + 2,

        θ_k = (Σ_i w_i r_ki + 1) / S,
        cov(θ_k, θ_l) = (Σ_i w_i (r_ki − θ_k)(r_li − θ_l) + (1 − θ_k)(1 − θ_l) + θ_k θ_l) / (S (S + 1)),

    the first two moments of the Bayesian bootstrap (Dirichlet weights). They are drawn as normal and cut to
    [0, 1], so that the cost does not grow with draws × rows. A rate of two samples, as AUROC is, has the sum
    of the covariances over either sample (DeLong).

    Parameters
    ----------
    right : float [K, N]
        Whether a candidate has a row right; a mean over repeated cross-fits lies between 0 and 1.
    cells : iterable of Cell
        Rows and weights.
    draws : int
        How many.
    generator : Generator
        Where they come from.
    others : callable, optional
        For AUROC: `right` is then the share of other rows that each row is placed above.

    References
    ----------
    D. B. Rubin, The Bayesian Bootstrap, Annals of Statistics 9 (1981) 130–134.
    """
    worst = np.ones((draws, len(right)))
    for rows, weights in cells:
        compared = None if others is None else others(rows, weights)
        rates, root = rate_moments(right[:, rows], weights, compared)
        drawn = rates + generator.standard_normal((draws, len(right))) @ root
        np.minimum(worst, np.clip(drawn, 0.0, 1.0), out=worst)
    return worst


def rate_moments(right: Floats, weights: Floats, others: Floats | None = None) -> tuple[Floats, Floats]:
    """Return θ [K] and the symmetric root of its covariance [K, K] in one cell, of right [K, n]."""
    rates, covariance = _moments(right, weights)
    if others is not None:
        covariance = covariance + _moments(others, np.ones(others.shape[1]))[1]
    values, vectors = np.linalg.eigh(covariance)
    # The symmetric root is unique, so that the order of the rows does not turn the draws.
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return rates, root


def _moments(right: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return θ [K] and its covariance [K, K] over one sample of rows, of right [K, n]."""
    size = float(weights.sum()) + 2
    rates = (right @ weights + 1) / size
    apart = right - rates[:, None]
    covariance = (apart * weights) @ apart.T + np.outer(1 - rates, 1 - rates) + np.outer(rates, rates)
    return rates, covariance / (size * (size + 1))


def _by_class(y: Ints) -> list[Ints]:
    """Return the row numbers of each class that occurs, in the order of the codes."""
    order = np.argsort(y, kind="stable")
    _, counts = np.unique(y, return_counts=True)
    return np.split(order, np.cumsum(counts)[:-1])
