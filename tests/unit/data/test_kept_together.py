"""Rows that belong together get one number, and linked rows are those of scipy."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from evenhand.data.kept_together import first_linked, kept_together


def test_units_and_copies_are_joined() -> None:
    units = np.array(["ann", "bob", "ann", "-", "-"])
    units[units == "-"] = ""
    found = kept_together([[1, 3]], units, 5)
    assert found is not None
    assert found[0] == found[2]
    assert found[1] == found[3]
    assert len(set(found.tolist())) == 3
    assert kept_together([], None, 5) is None


def test_connected_rows_are_those_of_scipy() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 60))
        links = rng.integers(0, n, (int(rng.integers(0, n + 1)), 2))
        found = first_linked(links, n)
        graph = coo_array((np.ones(len(links)), links.T), shape=(n, n))
        count, expected = connected_components(graph, directed=False)
        first = [int(np.flatnonzero(expected == k)[0]) for k in range(count)]
        assert found.tolist() == [first[k] for k in expected]
    chain = np.random.default_rng(0).permutation(1000)
    assert not first_linked(np.stack([chain[:-1], chain[1:]], axis=1), 1000).any()
