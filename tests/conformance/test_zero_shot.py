"""Zero-shot against the equation row by row: prototypes of text, or class centroids without it."""

from collections.abc import Callable

import numpy as np
import pytest

from evenhand import Head
from evenhand._typing import Floats, Ints
from evenhand.methods.zero_shot import ZeroShot


def unit(vector: Floats) -> Floats:
    result: Floats = vector / np.sqrt((vector * vector).sum())
    return result


def softmax(logits: list[float]) -> list[float]:
    top = max(logits)
    powers = [float(np.exp(value - top)) for value in logits]
    return [power / sum(powers) for power in powers]


@pytest.mark.parametrize("classes", [2, 3])
def test_it_is_the_scaled_cosine_with_the_class_embeddings(
    world: Callable[..., tuple[Floats, Ints, Ints]], classes: int
) -> None:
    X, y, _ = world(40, classes)
    generator = np.random.default_rng(0)
    W, b = generator.normal(size=(6, 4)).astype(np.float32), generator.normal(size=4).astype(np.float32)
    text = np.stack([unit(row) for row in generator.normal(size=(classes, 4))]).astype(np.float32)
    head = Head(W, b, tuple("abc"[:classes]), text, logit_scale=20.0)
    # Two labels swapped: nothing is learned from them.
    method = ZeroShot(head).fit(X, np.array(head.classes)[y])
    other = ZeroShot(head).fit(X, np.array(head.classes)[(y + 1) % classes])
    found = method.predict_proba(X)
    for row, shares in zip(X.astype(np.float64), found, strict=True):
        z = unit(row @ W.astype(np.float64) + b)
        expected = softmax([20.0 * float(z @ t) for t in text.astype(np.float64)])
        assert shares == pytest.approx(expected, abs=1e-5)
    assert np.array_equal(other.predict_proba(X), found)


@pytest.mark.parametrize("classes", [2, 3])
def test_without_text_the_centroids_of_centred_features_stand_in(
    world: Callable[..., tuple[Floats, Ints, Ints]], classes: int
) -> None:
    X, y, _ = world(60, classes)
    X += 5  # features of an ordinary network all point one way
    names = np.array(tuple("abc"[:classes]))
    found = ZeroShot().fit(X, names[y]).predict_proba(X)
    centered = X.astype(np.float64) - X.astype(np.float64).mean(axis=0)
    prototypes = []
    for code in range(classes):
        mine = [unit(centered[i]) for i in range(len(y)) if y[i] == code]
        prototypes.append(unit(np.sum(mine, axis=0) / len(mine)))
    for row, shares in zip(centered, found, strict=True):
        expected = softmax([float(unit(row) @ t) / 0.07 for t in prototypes])
        assert shares == pytest.approx(expected, abs=1e-4)
