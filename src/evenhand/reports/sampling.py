"""Which test rows the page shows: all, or a sample if there are many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Ints
from evenhand.audits.evaluate import EvaluatedModels

MOST = 2000
"""Points on the map: each carries its thumbnail, and the page is to stay small."""
CHANGED = 24
"""Images of each kind of change that are shown."""
RIGHT, WRONG = 6, 2
"""Saliency maps of newly correct, and of newly wrong images."""


@dataclass(frozen=True)
class ShownRows:
    """Positions among the test rows, each in rising order but for those of saliency.

    Attributes
    ----------
    on_map : int64 [n]
        The points of the map.
    newly_correct, newly_wrong : int64 [n]
        The images of what changed.
    saliency : int64 [n]
        Images that became correct, then images that became wrong; any images if none changed.
    """

    on_map: Ints
    newly_correct: Ints
    newly_wrong: Ints
    saliency: Ints


def shown_rows(models: EvaluatedModels) -> ShownRows:
    """Draw the rows of a run that the page shows."""
    every = np.ones(len(models.split.test), dtype=np.bool_)

    def drawn(chosen: Bools, most: int, *names: str) -> Ints:
        places = np.flatnonzero(chosen)
        return places[sample(len(places), most, models.seed, *names)]

    changed = [
        drawn(models.newly_correct, RIGHT, "saliency", "newly right"),
        drawn(models.newly_wrong, WRONG, "saliency", "newly wrong"),
    ]
    saliency = np.concatenate(changed)
    return ShownRows(
        on_map=drawn(every, MOST, "map"),
        newly_correct=drawn(models.newly_correct, CHANGED, "Newly correct"),
        newly_wrong=drawn(models.newly_wrong, CHANGED, "Newly wrong"),
        saliency=saliency if len(saliency) else drawn(every, RIGHT, "saliency"),
    )


def sample(n: int, most: int, seed: int, *names: str) -> Ints:
    """Return positions among n in rising order: all, or `most` drawn without replacement."""
    if n <= most:
        return np.arange(n, dtype=np.int64)
    drawn = numpy_stream(seed, "report", *names).choice(n, most, replace=False)
    positions: Ints = np.sort(drawn).astype(np.int64)
    return positions
