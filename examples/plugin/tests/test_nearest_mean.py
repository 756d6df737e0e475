"""The method passes evenhand's public checks, and does what its formula says."""

import numpy as np
from evenhand_means.nearest_mean import NearestMean

from evenhand.methods import make
from evenhand.testing import check_method


def test_the_public_checks_pass() -> None:
    """By its name, as evenhand finds it."""
    check_method(make("nearest_mean"))


def test_the_nearest_mean_is_predicted() -> None:
    """Against distances to the means, one class at a time."""
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(60, 5)), np.arange(60) % 3
    X[np.arange(60), y] += 2
    method = NearestMean().fit(X, y)
    z = method.transform(X)
    distances = [np.linalg.norm(z - z[y == code].mean(axis=0), axis=1) for code in range(3)]
    assert np.array_equal(method.predict(X), np.argmin(distances, axis=0))
