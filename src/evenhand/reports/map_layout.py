"""Two dimensions of embeddings, so that movement from one layout to the next means something."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evenhand._random import child_seed
from evenhand._typing import Floats

NEIGHBORS = 30
ITERATIONS = 500
FEWEST = 8
"""With fewer rows, neighborhoods mean nothing, and the principal components are shown."""


def layouts(embeddings: Sequence[Floats], seed: int) -> list[Floats]:
    """Lay out the same rows under several models.

    t-SNE (van der Maaten and Hinton, 2008); the first layout starts from the principal components, each
    further one from the layout before it and without early exaggeration, so that a point moves only because
    its neighbors changed.

    Parameters
    ----------
    embeddings : sequence of float32 [n, D_out]
        Unit vectors of the same rows.
    seed : int
        Root of the stream; starts are given, so that it hardly matters.

    Returns
    -------
    list of float64 [n, 2]
        Each from −1 to 1 on both axes.
    """
    if not embeddings or not len(embeddings[0]):
        return [np.zeros((0, 2)) for _ in embeddings]
    start = _principal(embeddings[0])
    if len(start) < FEWEST:
        return [_unit(_principal(z)) for z in embeddings]
    # Of the size that t-SNE starts from, so that distances in it do not fix the result.
    current = start / max(float(start[:, 0].std()), 1e-12) * 1e-4
    found = []
    for number, z in enumerate(embeddings):
        current = _tsne(z, current, exaggeration=1.0 if number else 12.0, seed=seed)
        found.append(_unit(current))
    return found


def _tsne(z: Floats, start: Floats, *, exaggeration: float, seed: int) -> Floats:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    tsne = TSNE(
        perplexity=min(NEIGHBORS, (len(z) - 1) / 3),
        early_exaggeration=exaggeration,
        max_iter=ITERATIONS,
        init=start.astype(np.float32),
        random_state=child_seed(seed, "report", "layout") % 2**32,
    )
    # Its steps are so short that two threads on shared cores wait for each other: 17 times slower, measured.
    with threadpool_limits(1):
        made: Floats = tsne.fit_transform(np.asarray(z, dtype=np.float32))
    return made.astype(np.float64)


def _principal(z: Floats) -> Floats:
    """Return the first two principal components [n, 2]; zeros if there are fewer."""
    centered = np.asarray(z, dtype=np.float64) - z.mean(axis=0)
    u, s, _ = np.linalg.svd(centered, full_matrices=False)
    scores = (u * s)[:, :2]
    return np.pad(scores, ((0, 0), (0, 2 - scores.shape[1])))


def _unit(points: Floats) -> Floats:
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    return np.where(high > low, 2 * (points - low) / span - 1, 0.0)
