"""Margins of rows with and without a hidden minority, drawn."""

import numpy as np

from evenhand.selection.shortcut_signs import CrossFits


def world(n: int, seed: int, minority: float | None = 0.1, classes: int = 2, noise: float = 0.0) -> CrossFits:
    """Return rows whose probe reads an attribute that a share of them contradict.

    Where the share is 0 the probe reads the class; where it is None, an attribute that all rows have.
    """
    generator = np.random.default_rng(seed)
    y = generator.integers(classes, size=n)
    clear = 1.5 + generator.normal(size=n)
    against = generator.random(n) < (minority or 0)
    probe = 0.7 * clear if minority == 0 else np.where(against, -2.0, 2.0)
    probe = probe + 0.7 * generator.normal(size=n)
    erm = clear + 0.5 * (probe - probe.mean()) + 0.5 * generator.normal(size=n)
    flipped = np.where(generator.random(n) < noise, -1, 1)

    def codes(margin: np.ndarray) -> np.ndarray:
        return np.where(margin * flipped > 0, y, (y + 1) % classes)

    return CrossFits(
        y,
        codes(clear),
        codes(erm),
        codes(probe),
        clear * flipped,
        erm * flipped,
        probe * flipped,
        clear * flipped,
        np.abs(clear),
        np.abs(erm),
    )
