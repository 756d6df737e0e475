"""The contrastive losses against slow loops from their equations."""

from collections.abc import Callable
from math import exp, log

import pytest
import torch
from torch.nn.functional import cross_entropy

from evenhand.functional.contrastive import (
    calibration_loss,
    calibration_loss_of_similarities,
    draw_similarities,
    similarity_loss,
    supervised_contrastive_loss,
)
from evenhand.functional.geometry import cosine_logits

Precision = tuple[torch.dtype, float]
Vectors = Callable[..., torch.Tensor]


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("temperature", [1.0, 0.1])
@pytest.mark.parametrize("weighted", [True, False])
def test_calibration_loss(vectors: Vectors, precision: Precision, temperature: float, weighted: bool) -> None:
    dtype, tolerance = precision
    weights = 3 * vectors(5, seed=3).abs()
    a, p, n, w = (
        t.to(dtype) for t in (vectors(5, 7), vectors(5, 3, 7, seed=1), vectors(5, 4, 7, seed=2), weights)
    )
    total = 0.0
    for i, anchor in enumerate(a.tolist()):
        rest = sum(exp(dot(anchor, negative) / temperature) for negative in n[i].tolist())
        for positive in p[i].tolist():
            own = exp(dot(anchor, positive) / temperature)
            total += (w[i].item() if weighted else 1) * -log(own / (own + rest))
    value = calibration_loss(a, p, n, temperature, w if weighted else None)
    assert value.dtype == dtype
    assert value.item() == pytest.approx(total / 15, rel=tolerance)


def test_calibration_loss_neither_overflows_nor_cancels_at_a_small_temperature() -> None:
    a = torch.tensor([[1.0, 0.0]])
    assert calibration_loss(a, -a[:, None], a[:, None], temperature=1e-3).item() == pytest.approx(2000.0)
    assert calibration_loss(a, a[:, None], -a[:, None], temperature=0.04).item() == pytest.approx(exp(-50))


def test_lines_shared_by_anchors_are_the_lines_of_each(vectors: Vectors, precision: Precision) -> None:
    dtype, tolerance = precision
    a, lines, line = vectors(4, 5).to(dtype), vectors(3, 2, 5, seed=1).to(dtype), [2, 0, 2, 1]
    expected = [
        [dot(anchor, vector) for vector in lines[r].tolist()]
        for anchor, r in zip(a.tolist(), line, strict=True)
    ]
    oracle = torch.tensor(expected, dtype=torch.float64)
    shared = draw_similarities(a, lines, torch.tensor(line))
    each = draw_similarities(a, lines[line], None)
    for found in (shared, each):
        assert torch.allclose(found.double(), oracle, rtol=tolerance, atol=tolerance)
    value = calibration_loss_of_similarities(shared, each, 0.5).item()
    assert value == pytest.approx(calibration_loss(a, lines[line], lines[line], 0.5).item(), rel=tolerance)


@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_supervised_contrastive_loss(vectors: Vectors, precision: Precision, temperature: float) -> None:
    dtype, tolerance = precision
    a, p, n = (t.to(dtype) for t in (vectors(5, 7), vectors(5, 3, 7, seed=1), vectors(5, 4, 7, seed=2)))
    to_p, to_n = (torch.einsum("ad,akd->ak", a, lines) for lines in (p, n))
    total = 0.0
    for i in range(5):
        own = [exp(s / temperature) for s in to_p[i].tolist()]
        rest = sum(exp(s / temperature) for s in to_n[i].tolist())
        total -= sum(log(part / (sum(own) + rest)) for part in own)
    value = supervised_contrastive_loss(to_p, to_n, temperature)
    assert value.dtype == dtype
    assert value.item() == pytest.approx(total / 15, rel=tolerance)


def test_similarity_loss(vectors: Vectors, precision: Precision) -> None:
    dtype, tolerance = precision
    z, y = vectors(6, 4).to(dtype), [0, 1, 2, 0, 1, 0]
    total = 0.0
    for i, first in enumerate(z.tolist()):
        for j, second in enumerate(z.tolist()):
            total += dot(first, second) * (-1 if y[i] == y[j] else 1) / 6
    value = similarity_loss(z, torch.tensor(y))
    assert value.dtype == dtype
    assert value.item() == pytest.approx(total / 6, abs=tolerance)


def test_cross_entropy_of_the_anchors(vectors: Vectors, precision: Precision) -> None:
    dtype, tolerance = precision
    a, t, y = vectors(5, 4).to(dtype), vectors(3, 4, seed=1).to(dtype), [0, 2, 1, 1, 0]
    total = 0.0
    for row, code in zip(a.tolist(), y, strict=True):
        logits = [4 * dot(row, prototype) for prototype in t.tolist()]
        total -= logits[code] - log(sum(exp(logit) for logit in logits))
    value = cross_entropy(cosine_logits(a, t, 4.0), torch.tensor(y))
    assert value.item() == pytest.approx(total / 5, rel=tolerance)


def test_gradients(vectors: Vectors) -> None:
    a, p, n, w = (
        t.requires_grad_()
        for t in (vectors(2, 3), vectors(2, 2, 3, seed=1), vectors(2, 4, 3, seed=2), vectors(2, seed=3))
    )
    assert torch.autograd.gradcheck(lambda *t: calibration_loss(*t[:3], 0.1, t[3]), (a, p, n, w))
    assert torch.autograd.gradcheck(lambda *t: supervised_contrastive_loss(*t, 0.1), (p[..., 0], n[..., 0]))
    line = torch.tensor([1, 1])
    assert torch.autograd.gradcheck(lambda *t: draw_similarities(*t, line), (a, p))
    assert torch.autograd.gradcheck(lambda t: similarity_loss(t, torch.tensor([0, 1])), (a,))
