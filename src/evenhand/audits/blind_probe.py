"""What a probe that does not see the class names reads, cross-validated."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats, Ints
from evenhand.evaluation.metrics import Rate, rate
from evenhand.functional.dealt_folds import dealt_folds
from evenhand.functional.intervals import weighted_interval

FOLDS = 5
STRENGTH = 10.0
"""Ridge penalty per row, on standardized features: so strong that the probe keeps to the strongest cue."""


def read_scores(z: Floats, target: Ints, cells: Ints, seed: int) -> Floats:
    """Return the scores of a ridge classifier for each value of `target`, float64 [N, V], out of fold.

    Cells count alike in training. A row that is alone in its cell trains in every fold, and its scores are 0.

    Parameters
    ----------
    z : float [N, D]
        Features.
    target : int64 [N]
        What is read, codes 0 to V − 1.
    cells : int64 [N]
        Cells such as class × value, which the folds divide evenly.
    seed : int
        Of the folds.
    """
    x = z - z.mean(axis=0)
    spread = x.std(axis=0)
    x /= np.where(spread > 0, spread, 1)
    one_hot = np.eye(int(target.max()) + 1)[target]
    _, place, counts = np.unique(cells, return_inverse=True, return_counts=True)
    weights = len(z) / (len(counts) * counts[place])
    generator = numpy_stream(seed, "blind probe")
    folds = dealt_folds(cells, np.zeros(len(z)), FOLDS, generator)
    scores = np.zeros_like(one_hot)
    for fold in np.unique(folds[folds >= 0]):
        tests = folds == fold
        model = Ridge(alpha=STRENGTH * float(weights[~tests].sum()))
        model.fit(x[~tests], one_hot[~tests], sample_weight=weights[~tests])
        scores[tests] = model.predict(x[tests])
    return scores


def balanced_rate(name: str, right: Bools, cells: Ints) -> Rate:
    """Return the mean over cells of the share of right rows [N], with its 95 % interval."""
    rates = [rate(str(cell), right[cells == cell]) for cell in np.unique(cells)]
    values, lows, highs = (
        np.array([getattr(one, key) for one in rates], dtype=float) for key in ("value", "low", "high")
    )
    low, high = weighted_interval(values, lows, highs, np.full(len(rates), 1 / len(rates)))
    return Rate(name=name, n=len(right), value=float(values.mean()), low=low, high=high)


def own_margins(scores: Floats, target: Ints) -> Floats:
    """Return each row's score [N, V] of its own value minus the largest other one."""
    own = scores[np.arange(len(target)), target]
    others = scores.copy()
    others[np.arange(len(target)), target] = -np.inf
    margins: Floats = own - others.max(axis=1)
    return margins
