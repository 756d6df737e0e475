"""DFR: the conditions of its L1 minimum over all of validation, standardized on training.

That C is chosen by the worst group of half of validation is held in `tests/unit/methods/test_dfr.py`.
"""

from collections.abc import Callable

import numpy as np
import pytest

from evenhand import DFR, Head
from evenhand._typing import Floats, Ints


def balanced(X: Floats, y: Ints, attribute: Ints, classes: int) -> Ints:
    """Return rows of which every group has as many, so that a balanced subset is all of them."""
    groups = [np.flatnonzero((y == c) & (attribute == a)) for c in range(classes) for a in range(classes)]
    size = min(map(len, groups))
    return np.sort(np.concatenate([rows[:size] for rows in groups]))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_refit_is_the_minimum_over_every_validation_row(
    world: Callable[..., tuple[Floats, Ints, Ints]], head: Callable[[int], Head], classes: int
) -> None:
    X, y, _ = world(300, classes)
    X_val, y_val, attribute = world(900, classes, seed=1)
    rows = balanced(X_val, y_val, attribute, classes)
    X_val, y_val, groups = X_val[rows], y_val[rows], attribute[rows].astype(str)
    C = 0.1
    method = DFR(head(classes), Cs=(C,), n_refits=1)
    method.fit(X, y.astype(str), validation=(X_val, y_val.astype(str), groups))

    z_train = X.astype(np.float64) / np.linalg.norm(X, axis=1, keepdims=True)
    z = X_val.astype(np.float64) / np.linalg.norm(X_val, axis=1, keepdims=True)
    mean, deviation = z_train.mean(axis=0), z_train.std(axis=0)
    standardized = (z - mean) / deviation
    model = method.model_
    v = model.prototypes.astype(np.float64) * deviation
    d = model.intercept.astype(np.float64) + model.prototypes.astype(np.float64) @ mean
    if classes == 2:
        v, d = v[1:] - v[:1], d[1:] - d[:1]
    for code, (weights, intercept) in enumerate(zip(v, d, strict=True)):
        positive = y_val == (1 if classes == 2 else code)
        slope = np.zeros(7)
        for row, is_positive in zip(standardized, positive, strict=True):
            p = 1 / (1 + np.exp(-(weights @ row + intercept)))
            slope += C * (p - is_positive) * np.append(row, 1.0)
        # liblinear penalises the intercept like any coefficient, as the published code lets it.
        theta = np.append(weights, intercept)
        present = np.abs(theta) > 1e-6
        assert np.allclose(slope[present], -np.sign(theta[present]), atol=0.05)
        assert np.abs(slope[~present]).max(initial=0) < 1.05
        assert present.sum() >= 2
