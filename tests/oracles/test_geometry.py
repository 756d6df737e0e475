"""Unit vectors, projection, logits, prototypes and centroids against slow loops from their equations."""

from collections.abc import Callable
from math import sqrt

import pytest
import torch

from evenhand.functional.geometry import (
    centered_bias,
    class_centroids,
    cosine_logits,
    mean_row,
    project,
    prototypes,
    unit,
)

Precision = tuple[torch.dtype, float]
Vectors = Callable[..., torch.Tensor]


def slow_unit(x: list[float]) -> list[float]:
    norm = sqrt(sum(v * v for v in x))
    return [v / norm for v in x]


def slow_mean(rows: list[list[float]]) -> list[float]:
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


def close(found: torch.Tensor, expected: object, precision: Precision) -> bool:
    dtype, tolerance = precision
    oracle = torch.tensor(expected, dtype=torch.float64)
    return found.dtype == dtype and torch.allclose(found.double(), oracle, rtol=tolerance, atol=tolerance)


def test_unit(vectors: Vectors, precision: Precision) -> None:
    x = (5 * vectors(4, 6) * torch.tensor([1e-3, 1, 7, 1e4])[:, None]).to(precision[0])
    assert close(unit(x), [slow_unit(row) for row in x.tolist()], precision)


def test_unit_along_another_axis(vectors: Vectors) -> None:
    x = vectors(4, 6)
    assert torch.allclose(unit(x, dim=0), unit(x.T).T)


def test_unit_of_zero_is_zero() -> None:
    assert torch.equal(unit(torch.zeros(2, 3)), torch.zeros(2, 3))


@pytest.mark.parametrize("dim", [0, -1])
def test_the_gradient_of_unit_is_that_of_the_quotient(
    vectors: Vectors, precision: Precision, dim: int
) -> None:
    dtype, tolerance = precision
    x, g = (5 * vectors(4, 6)).to(dtype).requires_grad_(), vectors(4, 6, seed=1).to(dtype)
    quotient = x / torch.linalg.vector_norm(x, dim=dim, keepdim=True)
    (expected,) = torch.autograd.grad(quotient, x, g)
    (found,) = torch.autograd.grad(unit(x, dim), x, g)
    assert torch.allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_the_gradient_of_unit_by_finite_differences(vectors: Vectors) -> None:
    assert torch.autograd.gradcheck(unit, vectors(3, 4).requires_grad_())


def test_the_gradient_of_unit_at_zero_is_finite() -> None:
    x = torch.zeros(2, 3, requires_grad=True)
    unit(x).sum().backward()
    assert torch.equal(x.grad, torch.ones(2, 3))


@pytest.mark.parametrize("biased", [True, False])
def test_project(vectors: Vectors, precision: Precision, biased: bool) -> None:
    h, w, b = (t.to(precision[0]) for t in (3 * vectors(4, 5), vectors(5, 3, seed=1), vectors(3, seed=2)))
    expected = []
    for row in h.tolist():
        raw = [sum(row[k] * w[k, j].item() for k in range(5)) + biased * b[j].item() for j in range(3)]
        expected.append(slow_unit(raw))
    assert close(project(h, w, b if biased else None), expected, precision)


def test_cosine_logits(vectors: Vectors, precision: Precision) -> None:
    z, t = (v.to(precision[0]) for v in (vectors(4, 5), vectors(3, 5, seed=1)))
    expected = [[sum(a * b for a, b in zip(i, c, strict=True)) for c in t.tolist()] for i in z.tolist()]
    # Eight is a power of two, so dividing by it again is exact and the cosines can be compared.
    assert close(cosine_logits(z, t, 8.0) / 8, expected, precision)


def test_prototypes(vectors: Vectors, precision: Precision) -> None:
    lengths = torch.tensor([1.0, 4.0, 0.1])[:, None]
    e = (vectors(2, 3, 5) * lengths).to(precision[0])
    expected = [slow_unit(slow_mean([slow_unit(prompt) for prompt in cls])) for cls in e.tolist()]
    assert close(prototypes(e), expected, precision)


def test_class_centroids(vectors: Vectors, precision: Precision) -> None:
    z, y = vectors(7, 5).to(precision[0]), [0, 1, 3, 0, 1, 0, 3]
    expected = []
    for code in range(4):
        rows = [row for row, label in zip(z.tolist(), y, strict=True) if label == code]
        expected.append(slow_unit(slow_mean(rows)) if rows else [0.0] * 5)
    assert close(class_centroids(z, torch.tensor(y), 4), expected, precision)


def test_centered_bias(vectors: Vectors, precision: Precision) -> None:
    h, w = (t.to(precision[0]) for t in (vectors(6, 4) + 1, vectors(4, 3, seed=1)))
    mean = slow_mean(h.tolist())
    expected = [-sum(mean[k] * w[k, j].item() for k in range(4)) for j in range(3)]
    assert close(centered_bias(h, w), expected, precision)


def test_mean_row(vectors: Vectors, precision: Precision) -> None:
    h = (vectors(9, 4) + 1).to(precision[0])
    assert close(mean_row(torch.split(h, [2, 6, 1])), slow_mean(h.tolist()), precision)
    assert torch.equal(mean_row([h]), h.mean(dim=0))


def test_gradients(vectors: Vectors) -> None:
    x, w, b, t = (
        v.requires_grad_()
        for v in (2 * vectors(3, 4), vectors(4, 2, seed=1), vectors(2, seed=2), vectors(3, 2, 4, seed=3))
    )
    y = torch.tensor([0, 2, 0])
    scale = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(unit, (x,))
    assert torch.autograd.gradcheck(project, (x, w, b))
    assert torch.autograd.gradcheck(lambda h, weight: project(h, weight, None), (x, w))
    assert torch.autograd.gradcheck(cosine_logits, (x, t[:, 0], scale))
    assert torch.autograd.gradcheck(prototypes, (t,))
    assert torch.autograd.gradcheck(lambda z: class_centroids(z, y, 3)[[0, 2]], (x,))
    assert torch.autograd.gradcheck(centered_bias, (x, w))
