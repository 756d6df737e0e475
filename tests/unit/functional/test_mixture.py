import numpy as np
import pytest
from scipy.stats import norm

from evenhand.functional.mixture import fit_mixture


def rows(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two classes; a third of the first lies apart and is mistaken for the second."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % 2
    apart = (y == 0) & (generator.random(n) < 1 / 3)
    x = generator.normal(size=(n, 3)) + 4 * np.outer(apart, [0, 1, 0]) + 3 * np.outer(y, [1, 0, 0])
    return x, y, np.where(apart, 1, y)


@pytest.mark.parametrize("weight", [1.0, 10.0])
def test_no_step_lowers_the_objective(weight: float) -> None:
    x, y, predicted = rows()
    noisy = np.where(np.random.default_rng(1).random(len(y)) < 0.2, 1 - predicted, predicted)
    _, objective = fit_mixture(x, y, noisy, 2, 6, weight=weight, tolerance=0.0)
    assert len(objective) > 3
    assert np.diff(objective).min() > -1e-6


def test_log_joint_by_loops() -> None:
    x, y, predicted = rows(40)
    model, _ = fit_mixture(x, y, predicted, 2, 3, weight=2.0)
    found = model.log_joint(x, y, predicted)
    for i in range(len(x)):
        for k in range(len(model.log_share)):
            density = sum(
                norm.logpdf(x[i, d], model.mean[k, d], np.sqrt(model.variance[k, d])) for d in range(3)
            )
            codes = model.log_label[k, y[i]] + model.log_predicted[k, predicted[i]]
            assert found[i, k] == pytest.approx(model.log_share[k] + density + 2 * codes)


def test_a_component_gathers_the_errors_that_lie_apart() -> None:
    x, y, predicted = rows()
    model, _ = fit_mixture(x, y, predicted, 2, 3)
    blind = model.log_joint(x, y).argmax(axis=1)
    errors = predicted != y
    theirs = np.bincount(blind[errors]).argmax()
    assert (blind[errors] == theirs).mean() > 0.9
    assert errors[blind == theirs].mean() > 0.9


def test_equal_rows_and_more_components_than_rows() -> None:
    x, y = np.ones((6, 2)), np.array([0, 0, 0, 1, 1, 1])
    model, objective = fit_mixture(x, y, np.array([0, 1, 0, 1, 1, 0]), 2, 50)
    assert np.isfinite(objective).all()
    assert np.isfinite(model.log_joint(x, y)).all()


def test_cells_without_a_component_are_spread() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(60, 2)), np.arange(60) % 20
    model, objective = fit_mixture(x, y, y, 20, 4)
    assert len(model.log_share) == 4
    assert np.isfinite(objective).all()
