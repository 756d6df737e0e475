"""The search for pairs that are nearly the same finds exactly those of a comparison of all with all."""

import numpy as np
import pytest

from evenhand.functional import alike
from evenhand.functional.alike import pairs_alike


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def with_near_ones(n, width, seed):
    """Rows of which a third are others with a little noise, near and far from the threshold."""
    rng = np.random.default_rng(seed)
    rows = unit(rng.standard_normal((n, width)) + 1)
    noise = rng.uniform(0, 0.3, (n // 3, 1)) / np.sqrt(width)
    near = unit(rows[: n // 3] + noise * rng.standard_normal((n // 3, width)))
    return np.concatenate([rows, near])[rng.permutation(n + n // 3)]


@pytest.mark.parametrize(("n", "width"), [(2, 3), (90, 5), (300, 64)])
@pytest.mark.parametrize("least", [0.98, 0.995])
def test_as_all_with_all(n, width, least, monkeypatch):
    for name in ("BLOCK", "KEYS", "EXACT"):
        monkeypatch.setattr(alike, name, 32)
    rows = with_near_ones(n, width, n)
    cosine = rows.astype(np.float64) @ rows.astype(np.float64).T
    i, j = np.nonzero(np.triu(cosine >= least, k=1))
    found = pairs_alike(lambda numbers: rows[numbers], len(rows), least)
    assert found is not None
    assert found.tolist() == np.stack([i, j], axis=1).tolist()
    assert n < 90 or 0 < len(found) < n


def test_rows_that_are_all_alike_are_given_up(monkeypatch):
    monkeypatch.setattr(alike, "CANDIDATES", 10)
    rows = unit(1 + 1e-3 * np.random.default_rng(0).standard_normal((100, 8)))
    assert pairs_alike(lambda numbers: rows[numbers], 100, 0.99) is None
