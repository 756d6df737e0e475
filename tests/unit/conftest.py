import numpy as np
import pytest

from evenhand import FeatureTable, Head


@pytest.fixture
def table() -> FeatureTable:
    """600 rows of width 8 with a shortcut in 90 % of the training rows; two parts."""
    generator = np.random.default_rng(0)
    n = 600
    y = np.arange(n) % 2
    split = np.where(np.arange(n) < 400, "train", "test")
    agrees = np.where(split == "train", generator.random(n) < 0.9, np.arange(n) % 4 < 2)
    attribute = np.where(agrees, y, 1 - y)
    X = generator.normal(size=(n, 8)).astype(np.float32)
    X[:, 0] += 2 * (2 * y - 1)
    X[:, 1] += 3 * (2 * attribute - 1)
    text = np.zeros((2, 8), dtype=np.float32)
    text[:, 0] = [-1, 1]
    return FeatureTable(
        parts=[X[:250], X[250:]],
        y=y.astype(np.int64),
        split=split,
        ids=np.arange(n).astype(str),
        paths=np.full(n, ""),
        attributes={"place": np.array(["sea", "wood"])[attribute]},
        head=Head(np.eye(8, dtype=np.float32), None, ("gull", "jay"), text),
        card={"family": "import"},
    )
