"""uLA: the shares of its proxy, the adjusted loss in float64, and the epoch that it keeps."""

from collections.abc import Callable
from math import exp, log

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from evenhand import ERM, ULA, Head
from evenhand._typing import Floats, Ints
from evenhand.methods._training.loop import SGD
from evenhand.methods.ula import log_shares

STEP = SGD(learning_rate=3e-2, epochs=1, batch_size=1000)
World = Callable[..., tuple[Floats, Ints, Ints]]


def test_shares_are_counted() -> None:
    y, proxy = torch.tensor([0, 0, 1, 2, 1]), torch.tensor([0, 0, 0, 2, 2])
    expected = [[2 / 3, 1 / 3, 0], [1, 1, 1], [0, 1 / 2, 1 / 2]]
    assert log_shares(y, proxy, 3).exp().numpy() == pytest.approx(np.array(expected))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("eta", [0.5, 1.0])
def test_the_loss_is_that_of_the_equation(
    world: World, head: Callable[[int], Head], classes: int, eta: float
) -> None:
    X, y, _ = world(200, classes, share=0.6)
    z = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float64)
    method = ULA(head(classes), eta=eta, bias_C=0.1, erm=STEP)
    method.fit(X, y.astype(str), validation=(X, y.astype(str)))
    proxy = LogisticRegression(C=0.1, max_iter=1000).fit(z, y).predict(z)
    assert np.array_equal(method.proxy_.numpy(), proxy)
    assert 0.05 < (proxy != y).mean() < 0.6
    scale, losses = head(classes).logit_scale, []
    for row, label, guess in zip(z, y, proxy, strict=True):
        terms = []
        for c in range(classes):
            count = sum(1 for k, t in zip(proxy, y, strict=True) if k == guess and t == c)
            share = count / sum(proxy == guess)
            terms.append(exp(scale * row[c]) * share**eta)
        losses.append(-log(terms[label] / sum(terms)))
    assert method.history_[0]["loss"] == pytest.approx(np.mean(losses), rel=1e-4)


def test_without_adjustment_it_is_erm(world: World, head: Callable[[int], Head]) -> None:
    X, y, _ = world(200, 2)
    sgd = SGD(learning_rate=1e-2, epochs=1)
    fitted = ULA(head(2), eta=0.0, erm=sgd).fit(X, y.astype(str), validation=(X, y.astype(str)))
    erm = ERM(head(2), learning_rate=1e-2, epochs=1).fit(X, y.astype(str))
    assert np.array_equal(fitted.model_.logits(X), erm.model_.logits(X))


def test_the_epoch_of_highest_proxy_balanced_accuracy_is_kept(
    world: World, head: Callable[[int], Head]
) -> None:
    X, y, _ = world(300, 2, share=0.6)
    X_val, y_val, _ = world(300, 2, seed=1)
    z, z_val = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (X, X_val))
    proxy = LogisticRegression(C=0.01, max_iter=1000).fit(z, y).predict(z_val)
    given = {"validation": (X_val, y_val.astype(str))}
    method = ULA(head(2), erm=SGD(3e-2, 8)).fit(X, y.astype(str), **given)
    scores = []
    for epochs in range(1, 9):
        # One epoch more at a time: the last epoch alone is what such a fit ends with.
        shorter = ULA(head(2), erm=SGD(3e-2, epochs)).fit(X, y.astype(str), **given)
        assert shorter.scores_ == method.scores_[:epochs]
        if int(np.argmax(shorter.scores_)) == epochs - 1:
            right = shorter.predict(X_val) == y_val.astype(str)
            cells = [(y_val == c) & (proxy == k) for c in (0, 1) for k in (0, 1)]
            assert shorter.scores_[-1] == pytest.approx(
                np.mean([right[cell].mean() for cell in cells if cell.sum() >= 5])
            )
            scores.append(shorter.scores_[-1])
    assert scores == sorted(set(scores))
    right = method.predict(X_val) == y_val.astype(str)
    assert max(method.scores_) == scores[-1]
    cells = [(y_val == c) & (proxy == k) for c in (0, 1) for k in (0, 1)]
    assert scores[-1] == pytest.approx(np.mean([right[c].mean() for c in cells if c.sum() >= 5]))


def test_it_lifts_the_worst_group_above_erm() -> None:
    generator = np.random.default_rng(0)

    def draw(n: int, share: float) -> tuple[Floats, Ints, Ints]:
        y = generator.integers(0, 2, n)
        a = np.where(generator.random(n) < share, y, 1 - y)
        X = 0.6 * generator.normal(size=(n, 8))
        X[:, 0] += 0.8 * (2 * y - 1)
        X[:, 1] += 2 * (2 * a - 1)
        return X.astype(np.float32), y, a

    X, y, _ = draw(2000, 0.95)
    X_test, t, a = draw(2000, 0.5)
    eye = np.eye(8, dtype=np.float32)
    text = np.zeros((2, 8), dtype=np.float32)
    text[0, 2] = text[1, 3] = 1
    head = Head(eye, None, ("0", "1"), text)

    def worst(method: ULA | ERM) -> float:
        right = method.fit(X, y.astype(str)).predict(X_test) == t.astype(str)
        return min(right[(t == c) & (a == k)].mean() for c in (0, 1) for k in (0, 1))

    assert worst(ULA(head)) > worst(ERM(head)) + 0.1
