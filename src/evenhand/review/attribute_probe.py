"""Estimate the attribute of every row from answers, by a cross-validated, noise-aware logistic probe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats, Ints
from evenhand.functional.noisy_logistic import (
    TINY,
    LogisticPosterior,
    answer_rates,
    fit_noisy_logistic,
    given_answer,
)
from evenhand.review.answers import Answers
from evenhand.review.rows import ReviewRows

WRONG = 0.05
"""Assumed share of wrong answers."""
VARIANCES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Prior variances of the components' coefficients that are cross-validated."""
RIGHTS = (2.0, 8.0, 32.0)
"""Prior variances of the difference in the attribute between right and wrong rows of a class. The estimate
uses the first; intervals allow for all, because under a shortcut errors may depend on it entirely."""
FOLDS = 8
FEWEST = 2
"""Smallest number of yes answers and of no answers for a fit."""


@dataclass(frozen=True)
class AttributeProbe:
    """A probe of one attribute, fitted to the answers about some of the reviewed rows.

    Attributes
    ----------
    places : int64 [n]
        Positions, among the reviewed rows, of those answered with yes or no.
    yes : bool [n]
        The answers.
    held_out : float64 [n]
        P(yes) of each, by probes that were not fitted to its answer.
    posterior : LogisticPosterior
        Posterior of the coefficients on the signs, which estimates the attribute of any row of the store.
    by_right : LogisticPosterior
        The same with columns for right and wrong rows of each class, which accuracy is estimated from: errors
        may depend on the attribute in ways that the signs do not show.
    mixture : list of (float, LogisticPosterior)
        The same for every prior variance, with its weight: few answers cannot decide between them.
    """

    places: Ints
    yes: Bools
    held_out: Floats
    posterior: LogisticPosterior
    by_right: LogisticPosterior
    mixture: list[tuple[float, LogisticPosterior]]

    @classmethod
    def fit(cls, rows: ReviewRows, answers: Answers, seed: int = 0) -> AttributeProbe:
        """Fit to the answers, with the prior variance that has the lowest cross-validated cross-entropy.

        Raises
        ------
        EvenhandError
            If there are not two answers of each kind about the evaluated rows.
        """
        place_of = {int(row): place for place, row in enumerate(rows.numbers)}
        known = {
            place_of[row]: a.word for row, a in answers.items() if row in place_of and a.word != "unclear"
        }
        places = np.array(sorted(known), dtype=np.int64)
        yes = np.array([known[place] == "yes" for place in places.tolist()], dtype=bool)
        if min(int(yes.sum()), int((~yes).sum())) < FEWEST:
            raise EvenhandError(
                f"answers: {int(yes.sum())} yes and {int((~yes).sum())} no about evaluated rows; "
                f"at least {FEWEST} of each are needed, and about 40 in all give a useful estimate"
            )
        X, variances = rows.features[places], rows.signs.prior_variances()
        fold = dealt(yes, seed)
        tried = [cross_validated(X, yes, 1 / filled(variances, one), fold) for one in VARIANCES]
        losses = np.array([cross_entropy(one, yes) for one in tried])
        wider, best = np.hstack([X, right_columns(rows)[places]]), int(losses.argmin())

        def by_right(components: float, right: float) -> LogisticPosterior:
            extra = np.full(wider.shape[1] - X.shape[1], 1 / right)
            precision = np.concatenate([1 / filled(variances, components), extra])
            return fit_noisy_logistic(wider, yes, precision, WRONG)

        weights = np.exp(-len(yes) * (losses - losses.min()))
        mixture = [
            (float(weight), by_right(components, right))
            for weight, components in zip(weights, VARIANCES, strict=True)
            for right in RIGHTS
        ]
        return cls(
            places,
            yes,
            tried[best],
            fit_noisy_logistic(X, yes, 1 / filled(variances, VARIANCES[best]), WRONG),
            mixture[best * len(RIGHTS)][1],
            mixture,
        )

    def probabilities(self, rows: ReviewRows) -> Floats:
        """Return P(yes), float64 [N], of the reviewed rows, given their answers."""
        return self._updated(self.by_right.probabilities(self._wider(rows)))

    def draws(self, rows: ReviewRows, n: int, generator: np.random.Generator) -> Iterator[Floats]:
        """Yield n draws of P(yes) [N] of the reviewed rows from the mixture of posteriors."""
        wider, weights = self._wider(rows), np.array([weight for weight, _ in self.mixture])
        counts = generator.multinomial(n, weights / weights.sum())
        for count, (_, posterior) in zip(counts, self.mixture, strict=True):
            for coefficients in posterior.draw(int(count), generator):
                found, _ = answer_rates(wider @ coefficients, 0.0)
                yield self._updated(found)

    def of_rows(self, rows: ReviewRows, numbers: Ints) -> Floats:
        """Return P(yes), float64 [M], of any rows of the store, by the signs alone."""
        return self.posterior.probabilities(rows.signs.read(rows.table, numbers))

    def _wider(self, rows: ReviewRows) -> Floats:
        return np.hstack([rows.features, right_columns(rows)])

    def _updated(self, probabilities: Floats) -> Floats:
        probabilities[self.places] = given_answer(probabilities[self.places], self.yes, WRONG)
        return probabilities


def right_columns(rows: ReviewRows) -> Floats:
    """Return a column for each class, float64 [N, C]: ½ for its right rows, −½ for its wrong ones, else 0."""
    of_class = rows.y[:, None] == np.arange(len(rows.table.classes))
    found: Floats = of_class * (rows.right[:, None] - 0.5)
    return found


def filled(variances: Floats, components: float) -> Floats:
    """Return prior variances with each NaN replaced by `components`."""
    return np.where(np.isnan(variances), components, variances)


def dealt(yes: Bools, seed: int) -> Ints:
    """Return a fold for each answer, dealt so that both kinds are spread evenly."""
    order = numpy_stream(seed, "review", "folds").permutation(len(yes))
    order = order[np.argsort(yes[order], kind="stable")]
    fold = np.empty(len(yes), dtype=np.int64)
    fold[order] = np.arange(len(yes)) % min(FOLDS, len(yes))
    return fold


def cross_validated(X: Floats, yes: Bools, precision: Floats, fold: Ints) -> Floats:
    """Return P(true value is yes) [n] of each answered row by a probe fitted to the other folds."""
    found = np.empty(len(yes))
    for number in np.unique(fold):
        out = fold == number
        found[out] = fit_noisy_logistic(X[~out], yes[~out], precision, WRONG).probabilities(X[out])
    return found


def cross_entropy(probabilities: Floats, yes: Bools) -> float:
    """Return the mean of −log P(answer), where `WRONG` of the answers are wrong."""
    q = WRONG + (1 - 2 * WRONG) * probabilities
    return float(-np.log(np.where(yes, q, 1 - q) + TINY).mean())
