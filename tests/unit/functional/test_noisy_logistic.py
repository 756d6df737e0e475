"""The noise-aware logistic posterior against scikit-learn, loops and numerical derivatives."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from evenhand.functional import fit_noisy_logistic, given_answer


def data(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, X @ [1.5, -1.0, 0.0] + rng.logistic(size=n) > 0


def negative_log_posterior(
    w: np.ndarray, X: np.ndarray, yes: np.ndarray, l2: np.ndarray, wrong: float
) -> float:
    total = 0.0
    for x, answer in zip(X, yes, strict=True):
        s = 1 / (1 + np.exp(-float(x @ w)))
        q = wrong + (1 - 2 * wrong) * s
        total -= np.log(q if answer else 1 - q)
    return total + sum(0.5 * k * v * v for k, v in zip(l2, w, strict=True))


def test_without_wrong_answers_it_is_logistic_regression() -> None:
    X, yes = data()
    found = fit_noisy_logistic(X, yes, np.full(3, 0.5), wrong=0.0)
    other = LogisticRegression(C=2.0, fit_intercept=False, tol=1e-10, max_iter=1000).fit(X, yes)
    np.testing.assert_allclose(found.mode, other.coef_[0], atol=1e-4)
    np.testing.assert_allclose(found.probabilities(X), other.predict_proba(X)[:, 1], atol=1e-4)


@pytest.mark.parametrize("wrong", [0.0, 0.1])
def test_the_mode_has_the_least_loss_around(wrong: float) -> None:
    X, yes = data()
    l2 = np.array([0.5, 1.0, 2.0])
    mode = fit_noisy_logistic(X, yes, l2, wrong).mode
    least = negative_log_posterior(mode, X, yes, l2, wrong)
    for step in np.random.default_rng(1).normal(size=(50, 3)) * 0.05:
        assert negative_log_posterior(mode + step, X, yes, l2, wrong) > least


def test_without_wrong_answers_the_covariance_is_the_inverse_of_the_numerical_hessian() -> None:
    X, yes = data()
    l2 = np.array([0.5, 1.0, 2.0])
    found = fit_noisy_logistic(X, yes, l2, wrong=0.0)
    h, hessian = 1e-4, np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            ends = [
                a
                * b
                * negative_log_posterior(
                    found.mode + h * (a * np.eye(3)[i] + b * np.eye(3)[j]), X, yes, l2, 0.0
                )
                for a in (-1, 1)
                for b in (-1, 1)
            ]
            hessian[i, j] = sum(ends) / (4 * h * h)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(hessian), rtol=1e-3, atol=1e-5)


def test_with_wrong_answers_the_covariance_is_that_of_the_expected_information() -> None:
    X, yes = data()
    found = fit_noisy_logistic(X, yes, np.ones(3), wrong=0.1)
    information = np.eye(3)
    for x in X:
        s = 1 / (1 + np.exp(-float(x @ found.mode)))
        q = 0.1 + 0.8 * s
        information += (0.8 * s * (1 - s)) ** 2 / (q * (1 - q)) * np.outer(x, x)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(information), rtol=1e-6)


def test_answers_known_to_be_noisy_move_the_mode_less() -> None:
    X, yes = data(200)
    flipped = yes.copy()
    far = np.argsort(-np.abs(X @ [1.5, -1.0, 0.0]))[:8]
    flipped[far] = ~flipped[far]
    clean = fit_noisy_logistic(X, yes, np.full(3, 0.1), 0.0).mode
    off = [
        np.linalg.norm(fit_noisy_logistic(X, flipped, np.full(3, 0.1), e).mode - clean) for e in (0.0, 0.05)
    ]
    assert off[1] < off[0]


def test_draws_have_the_mean_and_covariance() -> None:
    X, yes = data()
    found = fit_noisy_logistic(X, yes, np.ones(3), wrong=0.05)
    drawn = found.draw(200_000, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.mean(axis=0), found.mode, atol=0.01)
    np.testing.assert_allclose(np.cov(drawn.T), found.covariance, atol=0.01)


def test_an_answer_is_bayes_rule() -> None:
    f, yes = np.array([[0.2, 0.9], [0.5, 0.1]]), np.array([True, False])
    found = given_answer(f, yes, wrong=0.1)
    for k in range(2):
        assert found[k, 0] == pytest.approx(f[k, 0] * 0.9 / (f[k, 0] * 0.9 + (1 - f[k, 0]) * 0.1))
        assert found[k, 1] == pytest.approx(f[k, 1] * 0.1 / (f[k, 1] * 0.1 + (1 - f[k, 1]) * 0.9))
