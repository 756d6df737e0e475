"""Features of rows whose class goes with an attribute, drawn."""

import numpy as np

from evenhand import Head
from evenhand._typing import Floats, Ints

WIDTH = 12


def head(classes: int, *, text: bool = True, scale: float = 100.0) -> Head:
    """Return the identity with text that names the first directions and leans on the attribute a little."""
    prototypes = np.zeros((classes, WIDTH), dtype=np.float32)
    prototypes[:, :classes] = np.eye(classes)
    prototypes[:, classes : 2 * classes] = 0.3 * np.eye(classes)
    prototypes[:, -1] = 0.5
    prototypes /= np.linalg.norm(prototypes, axis=1, keepdims=True)
    names = tuple(f"c{code}" for code in range(classes))
    return Head(np.eye(WIDTH, dtype=np.float32), None, names, prototypes if text else None, scale)


def world(
    n: int, seed: int, classes: int = 2, minority: float | None = 0.1, noise: float = 0.0
) -> tuple[Floats, Ints, Ints]:
    """Return X, y and the attribute, which a share of the rows contradict; None draws no attribute."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    a = np.where(rng.random(n) < (minority or 0.0), (y + rng.integers(1, classes, n)) % classes, y)
    X = rng.normal(size=(n, WIDTH))
    X[np.arange(n), y] += 3.0
    if minority is not None:
        X[np.arange(n), classes + a] += 4.0
    wrong = rng.random(n) < noise
    y = np.where(wrong, (y + 1) % classes, y)
    return X.astype(np.float32), y, a
