"""Each loss against slow float64 loops written from its equation."""

from math import exp, log

import pytest
import torch

from evenhand.functional.contrastive import calibration_loss, similarity_loss
from evenhand.functional.geometry import class_centroids, cosine_logits, project, prototypes, unit

DTYPES = [(torch.float64, 1e-12), (torch.float32, 2e-6)]


def vectors(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return unit(torch.randn(*shape, generator=generator, dtype=torch.float64))


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_calibration_loss(dtype: torch.dtype, tolerance: float, temperature: float) -> None:
    a, p, n = vectors(5, 7), vectors(5, 3, 7, seed=1), vectors(5, 4, 7, seed=2)
    w = torch.rand(5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    total = 0.0
    for i in range(5):
        rest = sum(exp(float(a[i] @ n[i, k]) / temperature) for k in range(4))
        for j in range(3):
            own = exp(float(a[i] @ p[i, j]) / temperature)
            total += float(w[i]) * -log(own / (own + rest))
    value = calibration_loss(*(t.to(dtype) for t in (a, p, n)), temperature, w.to(dtype))
    assert float(value) == pytest.approx(total / 15, rel=tolerance * 10)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_similarity_loss(dtype: torch.dtype, tolerance: float) -> None:
    z, y = vectors(6, 4), [0, 1, 2, 0, 1, 0]
    total = 0.0
    for i in range(6):
        for j in range(6):
            total += float(z[i] @ z[j]) * (-1 if y[i] == y[j] else 1) / 6
    assert float(similarity_loss(z.to(dtype), torch.tensor(y))) == pytest.approx(total / 6, abs=tolerance)


def test_gradients() -> None:
    a, p, n = (
        t.requires_grad_() for t in (vectors(2, 3), vectors(2, 2, 3, seed=1), vectors(2, 2, 3, seed=2))
    )
    assert torch.autograd.gradcheck(lambda *t: calibration_loss(*t, 0.1), (a, p, n))
    assert torch.autograd.gradcheck(lambda t: similarity_loss(t, torch.tensor([0, 1])), (a,))


def test_calibration_loss_neither_overflows_nor_cancels_at_a_small_temperature() -> None:
    a = torch.tensor([[1.0, 0.0]])
    value = calibration_loss(a, -a[:, None], a[:, None], temperature=1e-3)
    assert float(value) == pytest.approx(2000.0)


def test_projection_and_logits() -> None:
    h, w, b, t = vectors(4, 5) * 3, vectors(5, 3, seed=1), vectors(1, 3, seed=2)[0], vectors(2, 3, seed=3)
    logits = cosine_logits(project(h, w, b), t, 14.0)
    for i in range(4):
        raw = [sum(float(h[i, k] * w[k, j]) for k in range(5)) + float(b[j]) for j in range(3)]
        norm = sum(v * v for v in raw) ** 0.5
        for c in range(2):
            cosine = sum(raw[j] / norm * float(t[c, j]) for j in range(3))
            assert float(logits[i, c]) == pytest.approx(14 * cosine, rel=1e-12)


def test_prototypes_average_unit_vectors_and_renormalise() -> None:
    e = torch.tensor([[[3.0, 0.0], [0.0, 5.0]]])
    assert torch.allclose(prototypes(e), torch.tensor([[0.5**0.5, 0.5**0.5]]))


def test_centroid_of_a_class_without_rows_is_zero() -> None:
    centroids = class_centroids(vectors(3, 4), torch.tensor([0, 0, 2]), 3)
    assert torch.equal(centroids[1], torch.zeros(4, dtype=torch.float64))


def test_unit_of_zero_is_zero() -> None:
    assert torch.equal(unit(torch.zeros(2, 3)), torch.zeros(2, 3))
