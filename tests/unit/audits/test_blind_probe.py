import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from evenhand._random import numpy_stream
from evenhand.audits.blind_probe import balanced_rate, own_margins, read_scores
from evenhand.evaluation.accuracy import rate
from evenhand.functional.dealt_folds import dealt_folds


def test_scores_are_those_of_a_ridge_that_never_saw_the_row() -> None:
    generator = np.random.default_rng(0)
    y = (np.arange(60) % 4 == 0).astype(np.int64)
    z = generator.normal(size=(60, 5)) + y[:, None]
    scores = read_scores(z, y, y, seed=3)
    folds = dealt_folds(y, np.zeros(60), 5, numpy_stream(3, "blind probe"))
    for fold in range(5):
        train = folds != fold
        x = StandardScaler().fit(z[train])
        weights = np.where(y[train] == 1, 1 / (2 * y[train].sum()), 1 / (2 * (1 - y[train]).sum()))
        model = Ridge(alpha=10).fit(x.transform(z[train]), np.eye(2)[y[train]], sample_weight=weights)
        assert scores[~train] == pytest.approx(model.predict(x.transform(z[~train])))


def test_noise_is_read_no_better_than_chance_and_a_cue_is_read() -> None:
    generator = np.random.default_rng(0)
    y = np.arange(900) % 3
    noise = generator.normal(size=(900, 8))
    for z, low, high in ((noise, 0.25, 0.42), (noise + 3 * np.eye(8)[y], 0.9, 1.0)):
        found = balanced_rate("read", own_margins(read_scores(z, y, y, 0), y) > 0, y)
        assert found.value is not None
        assert low < found.value <= high


def test_a_constant_feature_and_a_row_alone_in_its_cell() -> None:
    z = np.random.default_rng(0).normal(size=(21, 3))
    z[:, 0] = 1
    y = np.r_[np.arange(20) % 2, 2]
    scores = read_scores(z, y, y, 0)
    assert np.isfinite(scores).all()
    assert np.all(scores[20] == 0)


def test_cells_count_alike() -> None:
    right = np.array([True] * 8 + [False, True])
    cells = np.array([0] * 8 + [1] * 2)
    found = balanced_rate("x", right, cells)
    assert found.value == 0.75
    first, second = rate("0", right[:8]), rate("1", right[8:])
    assert first.low is not None
    assert second.low is not None
    assert found.low == pytest.approx(0.75 - 0.5 * ((1 - first.low) ** 2 + (0.5 - second.low) ** 2) ** 0.5)


def test_margins_by_loops() -> None:
    scores = np.random.default_rng(0).normal(size=(7, 3))
    y = np.arange(7) % 3
    pairs = zip(scores, y, strict=True)
    expected = [row[c] - max(s for k, s in enumerate(row) if k != c) for row, c in pairs]
    assert own_margins(scores, y) == pytest.approx(expected)
