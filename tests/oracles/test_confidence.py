"""Expected calibration error and temperature against slow loops and against torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from evenhand._typing import Floats, Ints
from evenhand.functional.confidence import RANGE, expected_calibration_error, fit_temperature


def slow_error(probabilities: Floats, y: Ints, bins: int) -> float:
    total = 0.0
    for b in range(bins):
        inside = [row for row, p in enumerate(probabilities) if b / bins < max(p) <= (b + 1) / bins]
        if inside:
            right = sum(int(np.argmax(probabilities[row]) == y[row]) for row in inside) / len(inside)
            confidence = sum(max(probabilities[row]) for row in inside) / len(inside)
            total += len(inside) / len(y) * abs(right - confidence)
    return total


def some(seed: int, n: int = 200, classes: int = 4, scale: float = 3.0) -> tuple[Floats, Ints]:
    generator = np.random.default_rng(seed)
    logits = scale * generator.normal(size=(n, classes))
    y = np.array([generator.choice(classes, p=p) for p in softmax(logits / 2, axis=1)])
    return logits, y


@pytest.mark.parametrize("bins", [1, 2, 15, 100])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_error_is_that_of_the_equation(bins: int, seed: int) -> None:
    logits, y = some(seed)
    probabilities = softmax(logits, axis=1)
    found = expected_calibration_error(probabilities, y, bins)
    assert found == pytest.approx(slow_error(probabilities, y, bins), abs=1e-12)


def test_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [1.0, 0.0]])
    # Bins of a fifth: 0.9 and 1 share the last, where 2 of 3 are right and the mean confidence is 2.8 / 3;
    # 0.6 is the upper edge of the third.
    found = expected_calibration_error(probabilities, np.array([0, 1, 1, 0]), 5)
    assert found == pytest.approx(3 / 4 * (2.8 / 3 - 2 / 3) + 1 / 4 * 0.4)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_temperature_is_the_one_that_torch_finds(seed: int) -> None:
    logits, y = some(seed)
    log_t = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_t], max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(torch.tensor(logits) / log_t.exp(), torch.tensor(y))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)
    assert fit_temperature(logits, y) == pytest.approx(log_t.exp().item(), rel=1e-5)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), scale=st.floats(0.3, 3))
def test_scaled_logits_have_the_scaled_temperature(seed: int, scale: float) -> None:
    logits, y = some(seed, n=100)
    assert fit_temperature(scale * logits, y) == pytest.approx(scale * fit_temperature(logits, y), rel=1e-4)


def test_a_true_temperature_is_found_and_the_error_shrinks() -> None:
    logits, y = some(3, n=20_000)
    found = fit_temperature(logits, y)
    assert found == pytest.approx(2, rel=0.05)
    before, after = (expected_calibration_error(softmax(logits / t, axis=1), y) for t in (1, found))
    assert after < 0.02 < 0.1 < before


def test_where_every_row_is_right_the_temperature_stays_in_its_range() -> None:
    logits = np.eye(3)[[0, 1, 2]] * 5
    assert fit_temperature(logits, np.array([0, 1, 2])) == RANGE[0]
    assert fit_temperature(logits, np.array([1, 2, 0])) == RANGE[1]
