"""The shortcut probe against its objective, minimized by another solver in float64."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax

from evenhand.methods.cfr.shortcut_probe import ShortcutProbe

WIDTH = 7


def world(classes: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return unit z [N, D], codes [N] of unequal classes, and prototypes [C, D] that span some axes."""
    generator = np.random.default_rng(seed)
    y = np.concatenate([np.full(40 * 3**code, code) for code in range(classes)])
    z = generator.normal(size=(len(y), WIDTH))
    z[np.arange(len(y)), WIDTH - 1 - y] += 1.5
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    prototypes = np.eye(classes, WIDTH) + 0.3 * generator.normal(size=(classes, WIDTH))
    as_tensor = (torch.from_numpy(array.astype(np.float32)) for array in (z, prototypes))
    z_, prototypes_ = as_tensor
    return z_, torch.from_numpy(y), prototypes_


@pytest.mark.parametrize("classes", [2, 3])
def test_the_probe_minimizes_the_balanced_cross_entropy_with_an_l2_of_a_quarter(classes: int) -> None:
    z, y, prototypes = world(classes)
    probe = ShortcutProbe.fit(z, y, prototypes)
    # An orthonormal basis of all that is orthogonal to differences of prototypes.
    differences = (prototypes[1:] - prototypes[:1]).double().numpy()
    free = np.linalg.svd(differences)[2][classes - 1 :]
    x, codes = z.double().numpy() @ free.T, y.numpy()
    counts = np.bincount(codes)
    w = len(codes) / (classes * counts[codes])

    def objective(flat: np.ndarray) -> float:
        theta = flat.reshape(classes, -1)
        log_p = log_softmax(x @ theta[:, :-1].T + theta[:, -1], axis=1)
        loss = -(w * log_p[np.arange(len(codes)), codes]).mean()
        v = theta[:, :-1]
        # Of two classes one vector is penalized, which is the difference of the two.
        square = np.square(v[1] - v[0]).sum() if classes == 2 else np.square(v).sum()
        return float(loss + 0.25 / 2 * square)

    found = minimize(objective, np.zeros(classes * (x.shape[1] + 1)), method="BFGS", options={"gtol": 1e-6})
    theta = found.x.reshape(classes, -1)
    expected = x @ theta[:, :-1].T + theta[:, -1]
    logits = probe.logits(z).double().numpy()
    # Only differences between logits are determined.
    assert np.allclose(logits - logits[:, :1], expected - expected[:, :1], atol=2e-3)
    assert np.abs(expected - expected[:, :1]).max() > 0.1


@pytest.mark.parametrize("classes", [2, 4])
def test_the_probe_is_blind_to_the_directions_of_the_prototypes(classes: int) -> None:
    z, y, prototypes = world(classes)
    probe = ShortcutProbe.fit(z, y, prototypes)
    moved = z + torch.outer(torch.linspace(-1, 1, len(z)), prototypes[0] - prototypes[1])
    assert torch.allclose(probe.logits(moved), probe.logits(z), atol=1e-5)


def test_a_class_without_rows_is_never_predicted() -> None:
    z, y, prototypes = world(3)
    known = y != 1
    probe = ShortcutProbe.fit(z[known], y[known], prototypes)
    assert set(probe.logits(z).argmax(dim=1).tolist()) == {0, 2}


@pytest.mark.parametrize(
    ("classes", "width", "possible"), [(2, 1, False), (2, 2, True), (3, 2, False), (3, 3, True)]
)
def test_a_probe_needs_a_direction_that_the_prototypes_leave(
    classes: int, width: int, possible: bool
) -> None:
    assert ShortcutProbe.possible(torch.zeros(classes, width)) == possible
