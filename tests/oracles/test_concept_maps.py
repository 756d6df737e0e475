"""The maps of concept words against the formulas as their authors write them, in numpy."""

import numpy as np
import pytest
import torch

from evenhand.functional.concept_maps import calibrated_projection, reject_accept_map

GENERATOR = np.random.default_rng(0)
SPURIOUS, PAIRS = GENERATOR.normal(size=(3, 6)), GENERATOR.normal(size=(4, 2, 6))


@pytest.mark.parametrize("l2", [0.0, 2.0, 1000.0])
def test_the_calibrated_projection(l2: float) -> None:
    columns = SPURIOUS.T
    null = np.eye(6) - columns @ np.linalg.inv(columns.T @ columns) @ columns.T
    spread = np.zeros((6, 6))
    for first, second in PAIRS:
        spread += np.outer(first - second, first - second) / len(PAIRS)
    expected = null @ np.linalg.inv(l2 * spread + np.eye(6))
    found = calibrated_projection(torch.from_numpy(SPURIOUS), torch.from_numpy(PAIRS), l2)
    assert np.allclose(found.numpy(), expected)


def test_it_forgets_the_spurious_prompts_and_equalises_the_pairs() -> None:
    pairs = PAIRS[:2]
    weak, strong = (
        calibrated_projection(torch.from_numpy(SPURIOUS), torch.from_numpy(pairs), l2).numpy()
        for l2 in (0.0, 1e6)
    )
    assert np.allclose(SPURIOUS @ strong, 0)
    differences = (pairs[:, 0] - pairs[:, 1]).T
    assert np.abs(strong @ differences).max() < 1e-4 * np.abs(weak @ differences).max()


def test_rejecting_then_accepting_is_gram_schmidt_row_by_row() -> None:
    reject, accept = GENERATOR.normal(size=(2, 6)), GENERATOR.normal(size=(2, 6))
    z = GENERATOR.normal(size=(5, 6))
    expected = z.copy()
    for sign, directions in ((-1, orthonormal(reject)), (1, orthonormal(accept))):
        for direction in directions:
            for row in expected:
                row += sign * (row @ direction) * direction
    change = reject_accept_map(torch.from_numpy(reject), torch.from_numpy(accept)).numpy()
    assert np.allclose(z @ change, expected)


def test_no_accepted_pair_is_rejecting_alone() -> None:
    reject = torch.from_numpy(GENERATOR.normal(size=(2, 6)))
    change = reject_accept_map(reject, reject[:0])
    assert torch.allclose(reject @ change, torch.zeros(2, 6, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(change @ change, change)


def orthonormal(vectors: np.ndarray) -> list[np.ndarray]:
    """Gram–Schmidt."""
    found: list[np.ndarray] = []
    for vector in vectors:
        rest = vector - sum(((vector @ other) * other for other in found), np.zeros(len(vector)))
        found.append(rest / np.linalg.norm(rest))
    return found
