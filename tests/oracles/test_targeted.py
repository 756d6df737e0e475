"""The targeted loss, its centroids and its assignment against slow loops from their equations."""

from collections.abc import Callable
from itertools import permutations
from math import exp, log, sqrt

import pytest
import torch

from evenhand.functional.simplex import simplex_vertices
from evenhand.functional.targeted import assign_targets, targeted_loss, update_centroids

Precision = tuple[torch.dtype, float]
Vectors = Callable[..., torch.Tensor]


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def slow_unit(x: list[float]) -> list[float]:
    return [v / sqrt(dot(x, x)) for v in x]


def test_update_centroids(vectors: Vectors, precision: Precision) -> None:
    dtype, tolerance = precision
    before, z, y = vectors(3, 5).to(dtype), vectors(6, 5, seed=1).to(dtype), [0, 2, 0, 2, 2, 0]
    expected = before.tolist()
    for code in (0, 2):
        rows = [row for row, label in zip(z.tolist(), y, strict=True) if label == code]
        mean = slow_unit([sum(column) / len(rows) for column in zip(*rows, strict=True)])
        expected[code] = slow_unit([0.9 * m + 0.1 * v for m, v in zip(expected[code], mean, strict=True)])
    found = update_centroids(before, z, torch.tensor(y))
    assert found.dtype == dtype
    assert torch.allclose(found.double(), torch.tensor(expected, dtype=torch.float64), rtol=0, atol=tolerance)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_assign_targets(vectors: Vectors, classes: int) -> None:
    centroids, vertices = vectors(classes, 6), simplex_vertices(classes, 6, seed=0).double()
    best = max(
        permutations(range(classes)),
        key=lambda pi: sum(dot(centroids[c].tolist(), vertices[pi[c]].tolist()) for c in range(classes)),
    )
    assert assign_targets(centroids, vertices).tolist() == list(best)


@pytest.mark.parametrize("queued", [0, 1, 7])
def test_targeted_loss(vectors: Vectors, precision: Precision, queued: int) -> None:
    dtype, tolerance = precision
    z, q, v = vectors(4, 5).to(dtype), vectors(queued, 5, seed=1).to(dtype), vectors(3, 5, seed=2).to(dtype)
    y, labels, assignment = [0, 1, 2, 1], [0, 1, 1, 1, 0, 1, 1][:queued], [2, 0, 1]
    total = 0.0
    for row, code in zip(z.tolist(), y, strict=True):
        others = [row, *q.tolist(), *v.tolist()]
        logits = [dot(row, other) / 0.07 for other in others]
        rest = log(sum(exp(logit) for logit in logits))
        log_p = [logit - rest for logit in logits]
        own, to_queue, to_vertices = log_p[0], log_p[1 : 1 + queued], log_p[1 + queued :]
        mates = [value for value, label in zip(to_queue, labels, strict=True) if label == code]
        n = 2 + len(mates)
        total += -(own + sum(mates)) / n - 0.2 * to_vertices[assignment[code]] / n - own
    value = targeted_loss(
        z, torch.tensor(y), q, torch.tensor(labels, dtype=torch.int64), v, torch.tensor(assignment)
    )
    assert value.dtype == dtype
    assert value.item() == pytest.approx(total / 4, rel=tolerance)


def test_gradients(vectors: Vectors) -> None:
    z, q, v = vectors(3, 4).requires_grad_(), vectors(5, 4, seed=1), vectors(2, 4, seed=2)
    y, labels, assignment = torch.tensor([0, 1, 0]), torch.tensor([0, 1, 1, 0, 1]), torch.tensor([1, 0])
    assert torch.autograd.gradcheck(lambda t: targeted_loss(t, y, q, labels, v, assignment), (z,))
