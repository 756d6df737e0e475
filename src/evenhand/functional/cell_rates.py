"""Cells of weighted rows, and draws of the worst rate of each candidate over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TypeAlias

import numpy as np

from evenhand._typing import Floats, Ints

Cell: TypeAlias = tuple[Ints, Floats]
"""Row numbers [n] and their weights [n], at least 0."""
Others: TypeAlias = Callable[[Ints, Floats], Floats]
"""Gives, for a cell, the same rate as a mean over the rows that it is compared with, [K, M]."""


@dataclass(frozen=True)
class Prior:
    """Rows that a cell starts with, before its own rows are added.

    Attributes
    ----------
    size : float
        Number of these rows.
    rates : float [K]
        Mean rate of every candidate on them.
    products : float [K, K]
        Mean product of the rates of two candidates.
    """

    size: float
    rates: Floats
    products: Floats

    @classmethod
    def one_of_each(cls, K: int) -> Prior:
        """Return one row that all K candidates classify correctly, and one that none does."""
        return cls(2.0, np.full(K, 0.5), np.full((K, K), 0.5))


def class_cells(trust: Floats, y: Ints) -> Iterator[Cell]:
    """Yield one cell per class of y [N], with trust [N] as the weights of its rows."""
    for rows in _by_class(y):
        yield rows, trust[rows]


def soft_cells(low: Floats, trust: Floats, y: Ints) -> Iterator[Cell]:
    """Yield two cells per class: its rows weighted by P(lower part) [N] times trust [N], then by the rest."""
    for rows in _by_class(y):
        yield rows, trust[rows] * low[rows]
        yield rows, trust[rows] * (1 - low[rows])


def balancing_weights(low: Floats, trust: Floats, y: Ints) -> Floats:
    """Return Σ over a row's soft cells of its share of the cell's weight, [N]: every cell counts the same.

    A cell of less than one row counts as if it had one, so a cell that hardly exists weighs little.
    """
    weights = np.zeros(len(y))
    for rows, mine in soft_cells(low, trust, y):
        weights[rows] += mine / max(1.0, float(mine.sum()))
    return weights


def pooled_prior(right: Floats, cells: Sequence[Cell]) -> Prior:
    """Return the rows that cells of one kind lend each other: empirical Bayes (Bühlmann's credibility).

    The rates of a candidate in the cells are assumed to be draws with mean m and variance τ², and its rows in
    all cells together have variance σ². Then each cell starts with s rows at rate m:

        s = σ² / τ² − 1,  τ² = max(0, (Σ n_c (θ_c − m)² − (G − 1) σ²) / (n − Σ n_c² / n)),

    for G cells of n_c rows, n in all. σ² and τ² are means over the candidates, so all of them have the same
    s. It is at least 2, and at most n, the number of rows that m is estimated from. One correct and one
    incorrect row are added to these. If fewer than two cells have rows, the prior has just these two rows.

    Parameters
    ----------
    right : float [K, N]
        As in `draw_worst_rates`.
    cells : sequence of Cell
        Cells of one kind, such as the hidden minorities of all classes.

    References
    ----------
    H. Bühlmann, Experience Rating and Credibility, ASTIN Bulletin 4 (1967) 199–207; τ² as in R. DerSimonian
    and N. Laird, Meta-Analysis in Clinical Trials, Controlled Clinical Trials 7 (1986) 177–188.
    """
    start = Prior.one_of_each(len(right))
    known = [(right[:, rows], weights) for rows, weights in cells if weights.sum() > 0]
    if len(known) < 2:
        return start
    together, weights = (np.concatenate(part, axis=-1) for part in zip(*known, strict=True))
    sizes = np.array([weights.sum() for _, weights in known])
    n = float(sizes.sum())
    mean = together @ weights / n
    within = (together - mean[:, None]) ** 2 @ weights / n
    apart = np.stack([mine @ weights / weights.sum() - mean for mine, weights in known], axis=1)
    spread = apart**2 @ sizes - (len(sizes) - 1) * within
    between = float(np.maximum(spread, 0.0).mean()) / max(n - float(sizes @ sizes) / n, 1e-9)
    size = float(within.mean()) / max(between, 1e-9) - 1
    pooled = _posterior(together, weights, start)
    return Prior(float(np.clip(size, 2.0, max(2.0, n))), pooled.rates, pooled.products)


def draw_worst_rates(
    right: Floats,
    cells: Iterable[Cell],
    draws: int,
    generator: np.random.Generator,
    others: Others | None = None,
    priors: Sequence[Prior] | None = None,
) -> Floats:
    """Draw the worst rate over cells of K candidates, with the same rows for all candidates, [draws, K].

    A cell starts with the rows of its prior; by default one correct and one incorrect row. With S = Σ w + s,

        θ_k = (Σ_i w_i r_ki + s m_k) / S,
        cov(θ_k, θ_l) = ((Σ_i w_i r_ki r_li + s m_kl) / S − θ_k θ_l) / (S + 1),

    the first two moments of the Bayesian bootstrap (Dirichlet weights). They are drawn as normal and cut to
    [0, 1], so the cost does not grow with draws × rows. The covariance of a rate of two samples, such as
    AUROC, is the sum of the covariances over either sample (DeLong).

    Parameters
    ----------
    right : float [K, N]
        Whether a candidate classifies a row correctly; a mean over repeated cross-fits is between 0 and 1.
    cells : iterable of Cell
        Rows and weights.
    draws : int
        Number of draws.
    generator : Generator
        Source of the draws.
    others : callable, optional
        For AUROC: `right` is then the share of other rows that each row is placed above.
    priors : sequence of Prior, optional
        Used in turn: cell i starts with prior i modulo their number.

    References
    ----------
    D. B. Rubin, The Bayesian Bootstrap, Annals of Statistics 9 (1981) 130–134.
    """
    worst = np.ones((draws, len(right)))
    turns = cycle(priors or [Prior.one_of_each(len(right))])
    # The priors repeat without end, so the cells end the loop.
    for (rows, weights), prior in zip(cells, turns, strict=False):
        compared = None if others is None else others(rows, weights)
        rates, root = rate_moments(right[:, rows], weights, compared, prior)
        drawn = rates + generator.standard_normal((draws, len(right))) @ root
        np.minimum(worst, np.clip(drawn, 0.0, 1.0), out=worst)
    return worst


def rate_moments(
    right: Floats, weights: Floats, others: Floats | None = None, prior: Prior | None = None
) -> tuple[Floats, Floats]:
    """Return θ [K] and the symmetric root of its covariance [K, K] in one cell, of right [K, n]."""
    neutral = Prior.one_of_each(len(right))
    rates, covariance = _moments(right, weights, prior or neutral)
    if others is not None:
        covariance = covariance + _moments(others, np.ones(others.shape[1]), neutral)[1]
    values, vectors = np.linalg.eigh(covariance)
    # The symmetric root is unique, so the order of the rows does not change the draws.
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return rates, root


def _moments(right: Floats, weights: Floats, prior: Prior) -> tuple[Floats, Floats]:
    """Return θ [K] and its covariance [K, K] over one sample of rows, of right [K, n]."""
    found = _posterior(right, weights, prior)
    return found.rates, (found.products - np.outer(found.rates, found.rates)) / (found.size + 1)


def _posterior(right: Floats, weights: Floats, prior: Prior) -> Prior:
    """Return the prior with the rows right [K, n] added."""
    size = float(weights.sum()) + prior.size
    return Prior(
        size,
        (right @ weights + prior.size * prior.rates) / size,
        ((right * weights) @ right.T + prior.size * prior.products) / size,
    )


def _by_class(y: Ints) -> list[Ints]:
    """Return the row numbers of each class that occurs, in the order of the codes."""
    order = np.argsort(y, kind="stable")
    _, counts = np.unique(y, return_counts=True)
    return np.split(order, np.cumsum(counts)[:-1])
