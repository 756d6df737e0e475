"""Cross-validated probes that cannot see the class names."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats, Ints
from evenhand.evaluation.accuracy import Rate
from evenhand.functional.dealt_folds import dealt_folds
from evenhand.functional.intervals import weighted_interval, wilson

FOLDS = 5
STRENGTH = 10.0
"""Ridge penalty per row, on standardized features: so strong that the probe keeps to the strongest cue."""


def ridge_scores(
    z: Floats, target: Ints, cells: Ints, train: Bools, tests: Bools, strength: float = STRENGTH
) -> Floats:
    """Return a ridge classifier's scores for each value of `target`, float64 [tests, V].

    Parameters
    ----------
    z : float [N, D]
        Features.
    target : int64 [N]
        What is read, codes 0 to V − 1.
    cells : int64 [N]
        Cells such as class × value, which count alike in training.
    train, tests : bool [N]
        Rows that it is fitted on, and rows that it scores.
    strength : float, default=10
        Ridge penalty per row.
    """
    x = StandardScaler().fit(z[train])
    _, place, counts = np.unique(cells[train], return_inverse=True, return_counts=True)
    weights = 1 / (len(counts) * counts[place])
    one_hot = np.eye(int(target.max()) + 1)[target[train]]
    model = Ridge(alpha=strength).fit(x.transform(z[train]), one_hot, sample_weight=weights)
    scores: Floats = model.predict(x.transform(z[tests]))
    return scores


def read_scores(z: Floats, target: Ints, cells: Ints, seed: int) -> Floats:
    """Return the scores of `ridge_scores` for every row, each from a fit that never saw it, float64 [N, V].

    The folds divide the cells evenly. A row that is alone in its cell trains in every fold, and its scores
    are 0.

    Parameters
    ----------
    z, target, cells
        As in `ridge_scores`.
    seed : int
        Seed of the folds.
    """
    folds = dealt_folds(cells, np.zeros(len(z)), FOLDS, numpy_stream(seed, "blind probe"))
    scores = np.zeros((len(z), int(target.max()) + 1))
    for fold in np.unique(folds[folds >= 0]):
        tests = folds == fold
        scores[tests] = ridge_scores(z, target, cells, ~tests, tests)
    return scores


def balanced_rate(name: str, right: Bools, cells: Ints, confidence: float = 0.95) -> Rate:
    """Return the mean over cells of the share of right rows [N], with its interval."""
    parts = [right[cells == cell] for cell in np.unique(cells)]
    values = np.array([part.mean() for part in parts])
    lows, highs = np.array([wilson(int(part.sum()), len(part), confidence) for part in parts]).T
    low, high = weighted_interval(values, lows, highs, np.full(len(parts), 1 / len(parts)))
    return Rate(name=name, n=len(right), value=float(values.mean()), low=low, high=high)


def own_margins(scores: Floats, target: Ints) -> Floats:
    """Return each row's score [N, V] of its own value minus the largest other one."""
    own = scores[np.arange(len(target)), target]
    others = scores.copy()
    others[np.arange(len(target)), target] = -np.inf
    margins: Floats = own - others.max(axis=1)
    return margins
