"""ERM against SGD written out row by row in float64."""

from collections.abc import Callable

import numpy as np
import pytest

from evenhand import ERM, Head
from evenhand._typing import Floats, Ints
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.problem import build_problem
from evenhand.methods._training.train_erm import train_erm

SGD_DECAYED = SGD(learning_rate=3e-2, epochs=2, batch_size=16, momentum=0.9, weight_decay=0.05)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_minimises_the_mean_and_decays_what_it_trains(
    world: Callable[..., tuple[Floats, Ints, Ints]],
    head: Callable[[int], Head],
    slow_erm: Callable[..., tuple[Floats, float]],
    classes: int,
    weighted: bool,
) -> None:
    import torch

    X, y, _ = world(60, classes)
    weights = np.random.default_rng(0).random(60) * 2 if weighted else None
    problem = build_problem(X, y, X[:0], y[:0], classes, head(classes), 0)
    given = None if weights is None else torch.from_numpy(weights).float()
    state = train_erm(problem, SGD_DECAYED, [], weights=given)
    expected, scale = slow_erm(X, y, classes, SGD_DECAYED, weights=weights)
    assert np.allclose(state.projection.tensors()["weight"].numpy(), expected, atol=1e-4)
    assert float(state.log_scale.exp()) == pytest.approx(scale, rel=1e-4)
    # The step moved more than the tolerance, so that the comparison means something.
    assert np.abs(expected - np.eye(6)).max() > 0.02
    assert abs(scale - 1 / 0.07) > 0.1


def test_the_method_trains_the_projection_and_leaves_the_prototypes(
    world: Callable[..., tuple[Floats, Ints, Ints]],
    head: Callable[[int], Head],
    slow_erm: Callable[..., tuple[Floats, float]],
) -> None:
    X, y, _ = world(60, 3)
    model = ERM(head(3), learning_rate=3e-2, epochs=2, batch_size=16).fit(X, y.astype(str)).model_
    expected, scale = slow_erm(X, y, 3, SGD(3e-2, 2, 16))
    assert np.allclose(model.projection.tensors()["weight"].numpy(), expected, atol=1e-4)
    assert model.logit_scale == pytest.approx(scale, rel=1e-4)
    assert np.array_equal(model.prototypes, head(3).text)
    assert not model.intercept.any()


def test_the_first_epochs_of_a_longer_training_are_a_shorter_one(
    world: Callable[..., tuple[Floats, Ints, Ints]], head: Callable[[int], Head]
) -> None:
    X, y, _ = world(60, 2)
    problem = build_problem(X, y, X[:0], y[:0], 2, head(2), 0)
    history: list[dict[str, float]] = []
    train_erm(problem, SGD(1e-2, 5), history)
    shorter: list[dict[str, float]] = []
    train_erm(problem, SGD(1e-2, 2), shorter)
    assert history[:2] == shorter
