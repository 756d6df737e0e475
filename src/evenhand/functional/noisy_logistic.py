"""Bayesian logistic regression on answers with a known share of errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from evenhand._typing import Bools, Floats

TINY = 1e-12


@dataclass(frozen=True)
class LogisticPosterior:
    """Normal approximation of the posterior of the coefficients.

    Attributes
    ----------
    mode : float64 [P]
        The coefficients of largest posterior density.
    covariance : float64 [P, P]
        Inverse of the Fisher information at the mode plus the prior precision.
    wrong : float
        The share of wrong answers that was assumed.
    """

    mode: Floats
    covariance: Floats
    wrong: float

    def probabilities(self, X: Floats) -> Floats:
        """Return P(true value is yes), float64 [N], of rows X [N, P] at the mode."""
        found: Floats = expit(X @ self.mode)
        return found

    def draw(self, n: int, generator: np.random.Generator) -> Floats:
        """Return n draws of the coefficients, float64 [n, P]."""
        root = np.linalg.cholesky(self.covariance)
        drawn: Floats = self.mode + generator.standard_normal((n, len(self.mode))) @ root.T
        return drawn


def fit_noisy_logistic(X: Floats, yes: Bools, precision: Floats, wrong: float) -> LogisticPosterior:
    """Fit logistic regression with a normal prior to answers with a known share of errors.

        P(answer_i = yes) = ε + (1 − 2ε) σ(x_i·w),  maximize Σ_i log P(answer_i) − ½ Σ_j λ_j w_j²

    The covariance is (Σ_i h_i x_i x_iᵀ + diag λ)⁻¹ with h_i = ((1 − 2ε) σ (1 − σ))² / (q_i (1 − q_i)) and
    q_i = P(answer_i = yes): Laplace's approximation with the expected information.

    Parameters
    ----------
    X : float [n, P]
        Rows; a column of ones is the intercept.
    yes : bool [n]
        The answers.
    precision : float [P]
        λ, above 0: the inverse of the prior variance of each coefficient.
    wrong : float
        ε, at least 0 and under ½.

    Returns
    -------
    LogisticPosterior

    References
    ----------
    J. Bootkrajang, A. Kabán, Label-Noise Robust Logistic Regression, ECML PKDD 2012.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0], [2.0], [-1.0], [-2.0]])
    >>> found = fit_noisy_logistic(X, np.array([True, True, False, False]), np.ones(1), wrong=0.05)
    >>> bool(found.mode[0] > 0), found.probabilities(X).round(1).tolist()
    (True, [0.7, 0.9, 0.3, 0.1])
    """
    answers = yes.astype(np.float64)

    def loss(w: Floats) -> tuple[float, Floats]:
        q, slope = answer_rates(X @ w, wrong)
        value = -np.log(np.where(yes, q, 1 - q) + TINY).sum() + 0.5 * (precision * w * w).sum()
        gradient = X.T @ ((q - answers) / (q * (1 - q) + TINY) * slope) + precision * w
        return float(value), gradient

    mode = minimize(loss, np.zeros(X.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    q, slope = answer_rates(X @ mode, wrong)
    information = (X.T * (slope**2 / (q * (1 - q) + TINY))) @ X + np.diag(precision)
    return LogisticPosterior(mode, np.linalg.inv(information), wrong)


def answer_rates(logits: Floats, wrong: float) -> tuple[Floats, Floats]:
    """Return P(answer = yes) at logits [N] and its derivative with respect to the logit, float64 [N]."""
    s = expit(logits)
    return wrong + (1 - 2 * wrong) * s, (1 - 2 * wrong) * s * (1 - s)


def given_answer(probabilities: Floats, yes: Bools, wrong: float) -> Floats:
    """Return P(true value is yes | answer) of rows with prior probabilities f [..., n] and answers [n].

        f (1 − ε) / (f (1 − ε) + (1 − f) ε) for yes,  f ε / (f ε + (1 − f)(1 − ε)) for no

    Examples
    --------
    >>> import numpy as np
    >>> given_answer(np.array([0.5, 0.5]), np.array([True, False]), wrong=0.1).tolist()
    [0.9, 0.1]
    """
    of_yes, of_no = np.where(yes, 1 - wrong, wrong), np.where(yes, wrong, 1 - wrong)
    found: Floats = probabilities * of_yes / (probabilities * of_yes + (1 - probabilities) * of_no)
    return found
