"""What is learned, of either kind of projection, and the coordinates it is learned in."""

import numpy as np
import pytest
import torch
from torch import Tensor

from evenhand._typing import Floats
from evenhand.data.head import Head
from evenhand.methods._training.coordinates import Coordinates
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem, build_problem
from evenhand.methods._training.train_erm import ERM_SGD, PUBLISHED_SGD, erm_sgd

CLASSES = ("a", "b")
CHANNELS, PLACES, OUT = 6, 4, 5


def arrays(*shapes: tuple[int, ...]) -> list[Floats]:
    generator = np.random.default_rng(0)
    return [generator.normal(size=shape).astype(np.float32) for shape in shapes]


def head(kind: str, text: bool = True) -> Head:
    weight, bias, places, query, key, value, asked, given, words = arrays(
        (CHANNELS, OUT), (OUT,), (1 + PLACES, CHANNELS), *3 * [(CHANNELS, 3, 2)], *2 * [(3, 2)], (2, OUT)
    )
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    pool = {
        "positional_embedding": places,
        "query_weight": query,
        "query_bias": asked,
        "key_weight": key,
        "value_weight": value,
        "value_bias": given,
    }
    chosen = pool if kind == "attention pool" else {}
    return Head(weight, bias, CLASSES, words if text else None, pool=chosen)


@pytest.fixture(params=["linear", "attention pool"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def posed(head: Head) -> tuple[Problem, Floats]:
    X = 7 * np.random.default_rng(1).normal(size=(30, head.width)).astype(np.float32)
    y = np.arange(30) % 2
    return build_problem(X[:20], y[:20], X[20:], y[20:], 2, head, 0), X


def test_the_start_is_the_pretrained_model(kind: str) -> None:
    problem, X = posed(head(kind))
    z = problem.start.embed_all(problem.h)
    assert torch.allclose(z.norm(dim=1), torch.ones(20))
    model = Model.of_state(problem, problem.start)
    assert np.allclose(model.embed(X[:20]), z, atol=1e-5)
    assert np.allclose(
        model.logits(X[20:]), problem.start.logits_of_all(problem.h_val, problem.prototypes), atol=1e-4
    )


def test_linear_projections_are_trained_in_unit_coordinates() -> None:
    problem, _ = posed(head("linear"))
    projection = problem.start.projection
    h = problem.h[torch.arange(20)]
    outputs = h @ projection.weight + projection.bias
    for rows in (h, outputs):
        assert rows.square().sum(dim=1).mean() == pytest.approx(1, rel=1e-5)
    assert erm_sgd(problem) == ERM_SGD


def test_attention_pools_are_trained_as_they_are_by_the_published_step() -> None:
    given = head("attention pool")
    problem, X = posed(given)
    assert problem.coordinates == Coordinates(1, 1)
    assert np.array_equal(problem.h[torch.arange(20)], X[:20])
    found = {name: t.numpy() for name, t in problem.start.projection.tensors().items()}
    assert all(np.array_equal(found[name], array) for name, array in given.arrays().items())
    assert erm_sgd(problem) == PUBLISHED_SGD


def test_features_that_are_all_zero_stay_finite(kind: str) -> None:
    given = head(kind)
    X = np.zeros((4, given.width), dtype=np.float32)
    problem = build_problem(X, np.arange(4) % 2, X[:0], np.arange(0), 2, given, 0)
    assert bool(torch.isfinite(problem.start.embed_all(problem.h)).all())


def test_without_text_projected_rows_are_centred_and_centroids_stand_in(kind: str) -> None:
    problem, _ = posed(head(kind, text=False))
    projection = problem.start.projection
    rows = projection.pool(problem.h[torch.arange(20)]) @ projection.weight + projection.bias
    assert torch.allclose(rows.mean(dim=0), torch.zeros(OUT), atol=1e-5)
    z = problem.start.embed_all(problem.h)
    own = torch.stack([z[problem.y == code].mean(dim=0) for code in (0, 1)])
    assert torch.allclose(problem.prototypes, torch.nn.functional.normalize(own, dim=1), atol=1e-5)


def test_leaves_are_trained_and_frozen_copies_stay(kind: str) -> None:
    problem, _ = posed(head(kind))
    before = [t.clone() for t in problem.start.parameters()]
    leaves = problem.start.leaves()
    loss(leaves.logits(problem.h[torch.arange(20)], problem.prototypes)).backward()
    assert all(t.is_leaf and t.grad is not None for t in leaves.parameters())
    frozen = leaves.frozen()
    with torch.no_grad():
        for tensor in leaves.parameters():
            tensor += 1
    for state in (frozen, problem.start):
        assert all(
            torch.equal(a, b) and not a.requires_grad for a, b in zip(state.parameters(), before, strict=True)
        )


def loss(logits: Tensor) -> Tensor:
    return torch.logsumexp(logits, dim=1).sum()


def test_the_line_between_two_states_is_straight_in_every_tensor(kind: str) -> None:
    problem, _ = posed(head(kind))
    start = problem.start
    other = start.leaves()
    with torch.no_grad():
        for tensor in other.parameters():
            tensor += 2
    other = other.frozen()
    for share in (0.0, 0.25, 1.0):
        line = start.between(other, share)
        assert type(line.projection) is type(start.projection)
        for a, b in zip(line.parameters(), start.parameters(), strict=True):
            assert torch.allclose(a, b + 2 * share, atol=1e-5)
