"""PPA against its equations, written out in numpy and minimised by another solver."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from evenhand import EvenhandError, Head
from evenhand.methods.ppa import PPA

WIDTH = 6


def problem(classes: int, n: int = 300) -> tuple[np.ndarray, np.ndarray, Head]:
    """Unequal classes; each has a direction of its own and shares a stronger one with a shortcut."""
    generator = np.random.default_rng(classes)
    y = generator.choice(classes, n, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    attribute = np.where(generator.random(n) < 0.85, y, (y + 1) % classes)
    X = 0.7 * generator.normal(size=(n, WIDTH))
    X[np.arange(n), y] += 1.5
    X[np.arange(n), WIDTH - 1 - attribute] += 2
    text = np.eye(WIDTH)[:classes] + 0.3
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    names = tuple("abc"[:classes])
    head = Head(np.eye(WIDTH, dtype=np.float32), None, names, text.astype(np.float32))
    return X.astype(np.float32), y, head


def probe(x: np.ndarray, y: np.ndarray, n: int, l2: float, tau: float) -> np.ndarray:
    """Minimise the equation by a quasi-Newton method that knows no gradient."""
    prior = np.bincount(y, minlength=n) / len(y)

    def loss(flat: np.ndarray) -> float:
        weights = flat.reshape(n, -1)
        logits = x @ weights.T + tau * np.log(prior)
        mean = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
        return float(mean + l2 / 2 * (weights**2).sum())

    found = minimize(loss, np.zeros(n * x.shape[1]), method="BFGS", options={"gtol": 1e-6})
    return np.asarray(found.x).reshape(n, -1)


def oracle(
    X: np.ndarray, y: np.ndarray, head: Head, *, bias_l2: float, l2: float, tau: float
) -> tuple[np.ndarray, np.ndarray]:
    assert head.text is not None
    z = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float64)
    T, C = head.text.astype(np.float64), len(head.classes)
    null = np.eye(WIDTH) - T.T @ np.linalg.inv(T @ T.T) @ T
    biased = probe(z @ null, y, C, bias_l2, tau)
    wrong = (z @ null @ biased.T).argmax(axis=1) != y
    groups = [(c, error) for c in range(C) for error in (False, True) if ((y == c) & (wrong == error)).any()]
    g = np.array([groups.index((c, error)) for c, error in zip(y.tolist(), wrong.tolist(), strict=True)])
    weights = probe(z, g, len(groups), l2, tau)
    summed = np.zeros((C, WIDTH))
    for (c, _), row in zip(groups, weights, strict=True):
        summed[c] += row
    return 2 * y + wrong, summed


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("tau", [1.0, 0.5])
def test_pseudo_groups_and_weights_are_those_of_the_equations(classes: int, tau: float) -> None:
    X, y, head = problem(classes)
    settings = {"bias_l2": 1e-2, "l2": 1e-2, "tau": tau}
    method = PPA(head, **settings).fit(X, np.array(head.classes)[y])
    groups, weights = oracle(X, y, head, **settings)
    assert 0 < (groups % 2).mean() < 0.5
    assert np.array_equal(method.pseudo_groups_, groups)
    assert np.allclose(method.model_.prototypes, weights, atol=2e-3)
    assert not method.model_.intercept.any()
    assert method.model_.logit_scale == 1


def test_the_biased_probe_cannot_read_the_class_embeddings() -> None:
    """What differs along the embeddings alone leaves every pseudo group as it was."""
    X, y, head = problem(2)
    assert head.text is not None
    z = X / np.linalg.norm(X, axis=1, keepdims=True)
    basis = np.linalg.qr(head.text.T)[0]
    rest = z - z @ basis @ basis.T
    # Each row keeps its norm and its rest, and its class part is turned.
    part = np.linalg.norm(z @ basis, axis=1)
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, len(z))
    turned = rest + part[:, None] * (
        np.cos(angle)[:, None] * basis[:, 0] + np.sin(angle)[:, None] * basis[:, 1]
    )
    names = np.array(head.classes)[y]
    first, second = (PPA(head).fit(rows.astype(np.float32), names).pseudo_groups_ for rows in (z, turned))
    assert np.array_equal(first, second)


def test_a_probe_of_rare_classes_is_adjusted_for_their_rarity() -> None:
    """On features that say nothing, plain cross-entropy would follow the majority; the adjusted does not."""
    _, y, head = problem(3)
    X = np.ones((len(y), WIDTH), dtype=np.float32)
    model = PPA(head, l2=1e-6).fit(X, np.array(head.classes)[y]).model_
    assert np.ptp(model.logits(X)[0]) < 1e-3


def test_embeddings_that_span_the_space_leave_the_classes_as_groups() -> None:
    X, y, _ = problem(2)
    plane = Head(np.eye(2, dtype=np.float32), None, ("a", "b"), np.eye(2, dtype=np.float32))
    method = PPA(plane).fit(X[:, :2], np.array(["a", "b"])[y])
    assert method.pseudo_groups_.tolist() == (2 * y).tolist()
    assert method.notes_ == (
        "the class embeddings leave the biased probe no direction: the pseudo groups are the classes",
    )


def test_it_lifts_the_worst_group_above_a_plain_probe() -> None:
    X, y, head = problem(2, 1500)
    names = np.array(head.classes)
    test_X, test_y, _ = problem(2, 1500)

    def worst(predict: Callable[[np.ndarray], np.ndarray]) -> float:
        right = predict(test_X) == names[test_y]
        shared = test_X[np.arange(len(test_y)), WIDTH - 1 - test_y] > 1
        return min(right[(test_y == c) & (shared == s)].mean() for c in (0, 1) for s in (False, True))

    z = (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float64)
    plain = probe(z, y, 2, 1e-4, 0.0)
    unit = test_X / np.linalg.norm(test_X, axis=1, keepdims=True)
    assert worst(PPA(head).fit(X, names[y]).predict) > 0.03 + worst(
        lambda _: names[(unit @ plain.T).argmax(axis=1)]
    )


@pytest.mark.parametrize("name", ["bias_l2", "l2"])
def test_a_penalty_of_zero_is_refused(name: str) -> None:
    X, y, head = problem(2)
    with pytest.raises(EvenhandError, match=f"^{name} must be above 0, but it is 0; the default is 0.0*1"):
        PPA(head, **{name: 0}).fit(X, np.array(head.classes)[y])
