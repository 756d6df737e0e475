"""Spans and what is beside them, against numpy's own."""

import numpy as np
import torch

from evenhand.functional.subspaces import project_out, span


def rows(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_basis_is_orthonormal_and_spans_the_rows() -> None:
    vectors = rows(3, 7)
    basis = span(vectors)
    assert torch.allclose(basis.T @ basis, torch.eye(3, dtype=torch.float64))
    assert torch.allclose(vectors @ basis @ basis.T, vectors)


def test_dependent_rows_add_no_direction() -> None:
    vectors = rows(2, 7)
    more = torch.cat([vectors, vectors[:1] - vectors[1:], 3 * vectors[:1], torch.zeros(1, 7)])
    assert span(more).shape == (7, 2)
    assert span(more.float()).shape == (7, 2)


def test_rows_of_zeros_and_no_rows_span_nothing() -> None:
    assert span(torch.zeros(2, 5)).shape == (5, 0)
    assert span(torch.zeros(0, 5)).shape == (5, 0)


def test_what_is_left_is_the_residual_of_least_squares() -> None:
    vectors, x = rows(3, 7), rows(4, 7, seed=1)
    found = project_out(x, span(vectors))
    for row, residual in zip(x.numpy(), found.numpy(), strict=True):
        coefficients, *_ = np.linalg.lstsq(vectors.numpy().T, row, rcond=None)
        assert np.allclose(residual, row - vectors.numpy().T @ coefficients)
