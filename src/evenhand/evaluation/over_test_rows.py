"""Bootstrap intervals over test rows, for means over seeds on the same test rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats, Ints
from evenhand.evaluation.results import OverRows, RowInterval
from evenhand.functional.bootstrap import DRAWS, group_rates
from evenhand.functional.intervals import percentile_interval


def over_rows(
    right: Bools, erm: Bools, y: Ints, groups: Ints | None, *, n_resamples: int = DRAWS
) -> OverRows:
    """Return means over seeds with bootstrap intervals over test rows.

    Rows are resampled within each class or group; a resample takes the same rows for all seeds and for ERM.

    Parameters
    ----------
    right, erm : bool [S, N]
        Whether the method, and ERM, classifies each row correctly, for each of S seeds.
    y : int64 [N]
        Class codes.
    groups : int64 [N] or None
        Group codes, negative where unknown; None if there is no attribute.
    n_resamples : int, default=2000
        Number of bootstrap samples.
    """
    both = np.concatenate([right, erm])
    seeds = len(right)
    _, sizes = np.unique(y, return_counts=True)
    by_class = group_rates(both, y, n_resamples, numpy_stream(0, "over-rows", "classes"))

    def plain(rates: Floats) -> Floats:
        shares: Floats = sizes / sizes.sum()
        return rates @ shares

    worst_group = difference = None
    if groups is not None and (groups >= 0).any():
        by_group = group_rates(both, groups, n_resamples, numpy_stream(0, "over-rows", "groups"))
        worst_group = _interval(by_group, lambda rates: _mean(_worst(rates)[..., :seeds]))
        difference = _interval(
            by_group, lambda rates: _mean(_worst(rates)[..., :seeds] - _worst(rates)[..., seeds:])
        )
    return OverRows(
        worst_group=worst_group,
        worst_class=_interval(by_class, lambda rates: _mean(_worst(rates)[..., :seeds])),
        plain=_interval(by_class, lambda rates: _mean(plain(rates)[..., :seeds])),
        difference_to_erm=difference,
    )


def _interval(rates: tuple[Floats, Floats], statistic: Callable[[Floats], Floats]) -> RowInterval:
    """Return a statistic of rates [2S, G] with the interval of its bootstrap samples [B, 2S, G]."""
    point, drawn = rates
    low, high = percentile_interval(statistic(drawn))
    return RowInterval(value=float(statistic(point)), low=low, high=high)


def _worst(rates: Floats) -> Floats:
    worst: Floats = rates.min(axis=-1)
    return worst


def _mean(values: Floats) -> Floats:
    mean: Floats = values.mean(axis=-1)
    return mean
