"""Just Train Twice (arXiv 2107.09044): ERM again, with the rows that a short ERM has wrong weighted up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand._ranges import COUNT, NOT_NEGATIVE, Ranges, or_none
from evenhand.data.head import Head
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import erm_sgd, train_erm
from evenhand.methods.base import Method

FIRST_SHARE = 0.2
"""Share of the epochs after which the first model is asked: 60 of 300, as published for Waterbirds."""

FALLBACK_SHARE = 0.05
"""Share of rows of highest loss that stand in for an empty error set."""


class JTT(Method):
    """Train ERM for T epochs, then from the start again with its errors weighted 1 + λ.

    E = {i : argmax_c of the first model's logits ≠ y_i}, in training. The second model minimizes

        Σ_i w_i ℓ_i / Σ_i w_i,   w_i = 1 + λ where i ∈ E, 1 elsewhere,

    which is the mean loss of the training set with λ more copies of every row of E, as the authors sample it.
    Both start from the pretrained projection and are trained like ERM: what is learned is W (b, s). Where the
    first model fits every row, the rows of highest loss stand in, and `notes_` says so.

    Parameters
    ----------
    head : Head, optional
        Projection and prototypes of the store.
    upweight : float
        λ; published: 100 for Waterbirds, 50 for CelebA, searched in 20, 50, 100.
    first_epochs : int, optional
        T; a fifth of `erm`'s epochs by default. Published: 60 of 300 for Waterbirds, 1 of 50 for CelebA.
    erm : SGD, optional
        How both are trained; ERM's own way by default.
    random_state : int
        Seeds shuffles.

    Attributes
    ----------
    errors_ : bool Tensor [N]
        E, over the training rows.
    notes_ : tuple of str
        What the user should know.
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"upweight": 20.0},
        {"upweight": 50.0},
        {"upweight": 100.0},
        {"upweight": 20.0, "first_epochs": 1},
        {"upweight": 50.0, "first_epochs": 1},
    )
    paper = "Liu et al., ICML 2021, arXiv 2107.09044"
    streams: ClassVar[bool] = True
    ranges: ClassVar[Ranges] = {
        "upweight": NOT_NEGATIVE,
        "first_epochs": or_none(COUNT),
    }

    def __init__(
        self,
        head: Head | None = None,
        upweight: float = 20.0,
        first_epochs: int | None = None,
        erm: SGD | None = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.upweight = upweight
        self.first_epochs = first_epochs
        self.erm = erm
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Accuracy in training is what λ is paid with: scikit-learn's check is not to ask for 83 % of it.
        tags.classifier_tags.poor_score = True
        return tags

    def _learn(self, problem: Problem) -> Model:
        sgd = self.erm or erm_sgd(problem)
        first_epochs = (
            max(1, round(FIRST_SHARE * sgd.epochs)) if self.first_epochs is None else self.first_epochs
        )
        first = train_erm(problem, replace(sgd, epochs=first_epochs), self.history_)
        logits = first.logits_of_all(problem.h, problem.prototypes)
        self.errors_, self.notes_ = error_set(logits, problem.y)
        weights = upweighted(self.errors_, self.upweight)
        return Model.of_state(problem, train_erm(problem, sgd, self.history_, weights=weights, stage=2))


def error_set(logits: Tensor, y: Tensor) -> tuple[Tensor, tuple[str, ...]]:
    """Return which rows [N] logits [N, C] misclassify, or those of highest loss if none is; and notes."""
    errors = logits.argmax(dim=1) != y
    if bool(errors.any()):
        return errors, ()
    count = max(1, round(FALLBACK_SHARE * len(y)))
    highest = cross_entropy(logits, y, reduction="none").argsort(descending=True, stable=True)[:count]
    errors[highest] = True
    note = f"the first model misclassifies no training row: the {count} rows of highest loss are weighted up"
    return errors, (note,)


def upweighted(errors: Tensor, upweight: float) -> Tensor:
    """Return weights [N] of mean 1, in proportion 1 + λ to 1 for rows in and out of the error set."""
    weights = torch.where(errors, 1.0 + upweight, 1.0)
    return weights / weights.mean()
