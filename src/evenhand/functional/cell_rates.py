"""Cells of weighted rows, and draws of candidates' worst rate from what is known of them."""

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
    """Rows that a cell counts before its own.

    Attributes
    ----------
    size : float
        How many.
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


def pooled_prior(right: Floats, cells: Sequence[Cell]) -> Prior:
    """Return the rows that cells of one kind lend each other: empirical Bayes (Bühlmann's credibility).

    The rates of a candidate in the cells are taken as draws with mean m and variance τ², and its rows in all
    cells together have variance σ². Then a cell counts, before its own, as many rows at rate m as

        s = σ² / τ² − 1,  τ² = max(0, (Σ n_c (θ_c − m)² − (G − 1) σ²) / (n − Σ n_c² / n)),

    for G cells of n_c rows, n in all, σ² and τ² in the mean over the candidates: one s for all of them. At
    least two are counted, and at most n, from which m is known. One right and one wrong row are added
    to those that m is taken from. Where fewer than two cells have rows, they say nothing of each other.

    Parameters
    ----------
    right : float [K, N]
        As in `draw_worst_rates`.
    cells : sequence of Cell
        Of one kind, as the hidden minorities of all classes are.

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
    """Draw the worst rate over cells of K candidates, the same rows for all candidates, [draws, K].

    A cell begins with the rows of its prior; by default one right and one wrong. With S = Σ w + s,

        θ_k = (Σ_i w_i r_ki + s m_k) / S,
        cov(θ_k, θ_l) = ((Σ_i w_i r_ki r_li + s m_kl) / S − θ_k θ_l) / (S + 1),

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
    priors : sequence of Prior, optional
        They take turns: the cell at place i has that at place i modulo their number.

    References
    ----------
    D. B. Rubin, The Bayesian Bootstrap, Annals of Statistics 9 (1981) 130–134.
    """
    worst = np.ones((draws, len(right)))
    turns = cycle(priors or [Prior.one_of_each(len(right))])
    # The priors never end, so the cells do.
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
    # The symmetric root is unique, so that the order of the rows does not turn the draws.
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
