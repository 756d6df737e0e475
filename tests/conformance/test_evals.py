"""EVaLS: as many high- as low-loss rows of each class, and k by the worst inferred environment."""

from collections.abc import Callable
from math import exp, log, sqrt

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from evenhand import EvenhandError, Head
from evenhand._random import child_seed
from evenhand._typing import Floats, Ints
from evenhand.data.splits import hold_out
from evenhand.methods._training.last_layer import HeldOutFeatures, LastLayer
from evenhand.methods._training.loop import SGD
from evenhand.methods.evals import EVaLS, extremes, worst_environment

STEP = SGD(learning_rate=3e-2, epochs=2, batch_size=64)


def loss_at(logits: Floats, code: int, scale: float) -> float:
    return log(sum(exp(scale * x) for x in logits)) - scale * logits[code]


def loop_worst(erm: Floats, predicted: Ints, y: Ints) -> float:
    """Return the worst accuracy over class × (does a larger logit scale raise or lower the row's loss?)."""
    cells: dict[tuple[int, bool], list[bool]] = {}
    for row, guess, code in zip(erm, predicted, y.tolist(), strict=True):
        rises = loss_at(row, code, 1 + 1e-6) > loss_at(row, code, 1 - 1e-6)
        cells.setdefault((code, rises), []).append(bool(guess == code))
    return min(sum(right) / len(right) for right in cells.values() if len(right) >= 5)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_each_class_gives_its_k_highest_and_k_lowest_losses(k: int) -> None:
    generator = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [30, 10, 20])
    losses = generator.permutation(60).astype(float)
    expected = set()
    for code in range(3):
        order = sorted((i for i in range(60) if y[i] == code), key=lambda i: losses[i])
        expected |= set(order[:k]) | set(order[-k:])
    assert set(extremes(losses, y, k)) == expected
    assert np.bincount(y[extremes(losses, y, k)]).tolist() == [2 * k] * 3


def test_the_score_is_the_worst_accuracy_over_class_and_environment() -> None:
    generator = np.random.default_rng(0)
    u, y = generator.normal(size=(200, 4)), generator.integers(0, 3, 200)
    u[np.arange(200), y] += 2
    erm = LastLayer(2 * np.eye(3, 4), np.zeros(3))
    layers = [
        LastLayer(generator.normal(size=(3, 4)) + np.eye(3, 4), generator.normal(size=3)) for _ in range(4)
    ]
    expected = [loop_worst(u @ erm.weight.T, layer.logits(u).argmax(axis=1), y) for layer in layers]
    assert worst_environment(HeldOutFeatures(u, erm), y, layers) == pytest.approx(expected)
    assert len(set(expected)) > 1


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("given", [False, True])
def test_the_fit_is_the_definition(
    world: Callable[..., tuple[Floats, Ints, Ints]],
    head: Callable[[int], Head],
    slow_erm: Callable[..., tuple[Floats, float]],
    classes: int,
    given: bool,
) -> None:
    X, y, _ = world(900, classes)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    X_val, y_val, _ = world(150, classes, seed=1)
    names = y_val.astype(str)
    method = EVaLS(head(classes), ks=(5, 2, 10), C=0.5, erm=STEP)
    method.fit(X, y.astype(str), validation=(X_val, names) if given else None)

    kept, held = hold_out(y, seed=0)
    projection, scale = slow_erm(X[kept], y[kept], classes, STEP)
    first, second = hold_out(y[held], seed=child_seed(0, "evals", "halves"), share=0.5)

    def seen(rows: Floats) -> Floats:
        z = rows.astype(np.float64) @ projection
        return sqrt(6) * z / np.linalg.norm(z, axis=1, keepdims=True)

    u, codes = seen(X[held[first]]), y[held[first]]
    logits = scale * u[:, :classes] / sqrt(6)
    losses = np.array([loss_at(row, code, 1.0) for row, code in zip(logits, codes, strict=True)])
    u_judged, y_judged = (seen(X_val), y_val) if given else (seen(X[held[second]]), y[held[second]])
    erm = scale * u_judged[:, :classes] / sqrt(6)
    fits, scores = [], []
    for k in (5, 2, 10):
        rows = extremes(losses, codes, k)
        fits.append(LogisticRegression(C=0.5, max_iter=1000).fit(u[rows], codes[rows]))
        scores.append(loop_worst(erm, fits[-1].predict(u_judged), y_judged))
    assert [(tried["k"], tried["worst_environment"]) for tried in method.grid_] == [
        (k, pytest.approx(score)) for k, score in zip((5, 2, 10), scores, strict=True)
    ]
    assert method.k_ == (5, 2, 10)[int(np.argmax(scores))]
    best = fits[int(np.argmax(scores))]
    found = method.predict_proba(X_val)
    assert np.allclose(found, best.predict_proba(seen(X_val)), atol=2e-3)


def test_a_k_beyond_half_of_the_smallest_class_is_cut(
    world: Callable[..., tuple[Floats, Ints, Ints]],
) -> None:
    X, y, _ = world(400, 2, share=0.9)
    method = EVaLS(ks=(1, 50, 100), erm=STEP).fit(X, y)
    held = hold_out(y, seed=0)[1]
    first = held[hold_out(y[held], seed=child_seed(0, "evals", "halves"), share=0.5)[0]]
    assert [tried["k"] for tried in method.grid_] == [1, int((y[first] == 1).sum()) // 2]


def test_few_rows_of_a_class_are_told(world: Callable[..., tuple[Floats, Ints, Ints]]) -> None:
    X, y, _ = world(400, 2)
    few = np.concatenate([np.flatnonzero(y == code)[:5] for code in (0, 1)])
    told = "the last layer is fitted to 1 row of the smallest class, a tenth of training"
    assert EVaLS(erm=STEP).fit(X[few], y[few]).notes_[0].startswith(told)
    ninety = np.concatenate([np.flatnonzero(y == code)[:90] for code in (0, 1)])
    (note,) = EVaLS(erm=STEP).fit(X[ninety], y[ninety]).notes_
    assert note.startswith("the last layer is fitted to 9 rows of the smallest class")
    hundred = np.concatenate([np.flatnonzero(y == code)[:100] for code in (0, 1)])
    assert EVaLS(erm=STEP).fit(X[hundred], y[hundred]).notes_ == ()


def test_where_no_environment_has_rows_the_first_k_is_taken(
    world: Callable[..., tuple[Floats, Ints, Ints]],
) -> None:
    X, y, _ = world(300, 2)
    method = EVaLS(ks=(2, 1), erm=STEP).fit(X, y, validation=(X[:3], y[:3]))
    assert method.grid_ == []
    assert method.k_ == 2


@pytest.mark.parametrize("ks", [(), (5, 0)])
def test_numbers_under_one_are_refused(
    world: Callable[..., tuple[Floats, Ints, Ints]], ks: tuple[int, ...]
) -> None:
    X, y, _ = world(60, 2)
    with pytest.raises(EvenhandError, match="ks must be a list of numbers, at least one and each at"):
        EVaLS(ks=ks).fit(X, y)
