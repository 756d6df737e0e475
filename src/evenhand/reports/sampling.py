"""Which test rows the page shows as points: all of few, a drawn sample of many."""

from __future__ import annotations

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Ints

MOST = 2000
"""Points on the map: each carries its thumbnail, and the page is to stay small."""


def sample(n: int, most: int, seed: int, *names: str) -> Ints:
    """Return positions among n in rising order: all, or `most` drawn without replacement."""
    if n <= most:
        return np.arange(n, dtype=np.int64)
    drawn = numpy_stream(seed, "report", *names).choice(n, most, replace=False)
    positions: Ints = np.sort(drawn).astype(np.int64)
    return positions
