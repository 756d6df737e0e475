"""Correct-N-Contrast (CnC): contrast between rows of a class that ERM predicts differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand._random import torch_stream
from evenhand._ranges import COUNT, POSITIVE, SHARE, Ranges
from evenhand.data.head import Head
from evenhand.functional.contrastive import draw_similarities, supervised_contrastive_loss
from evenhand.functional.geometry import cosine_logits
from evenhand.methods._draws.by_prediction import ContrastDraw, RowsByPrediction
from evenhand.methods._training.loop import SGD, minimize
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import erm_sgd, train_erm
from evenhand.methods._training.trained_state import State
from evenhand.methods.base import Method


class CnC(Method):
    """Pull rows of one class together that ERM predicts differently; push rows apart that it predicts alike.

    Stage 1 is ERM. An anchor is a training row that ERM classifies correctly. Its positives are misclassified
    rows of its class, and its negatives are rows of other classes that ERM predicts as the anchor's class.
    The contrast is two-sided: a misclassified row is an anchor, too. Its positives are correctly classified
    rows of its class, and its negatives are correctly classified rows of the class that ERM predicts for it.
    Stage 2 starts from the pretrained projection and minimizes over W and s

        contrast · SupCon + (1 − contrast) · CE

    SupCon is the mean of `supervised_contrastive_loss` over the anchors of both sides. CE is the mean of the
    cross-entropies of anchors, positives and both kinds of negatives.

    As in the authors' loader, every step has equally many anchors of each predicted class, and an epoch ends
    when the class with the fewest is used up.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    temperature : float, default=0.1
        τ of the contrast, above 0. Published: 0.1 for Waterbirds and 0.05 for CelebA.
    contrast : float, default=0.75
        Weight of the contrast, from 0 to 1; 0.75 as published.
    k : int, default=16
        Positives and negatives of each anchor, drawn at every step. Anchors of one class share the draw.
        Published: 17 for Waterbirds.
    learning_rate : float, default=0.001
        Learning rate of SGD with momentum 0.9 in stage 2, above 0. The published 1e-4 is for a whole network
        and hardly changes W alone.
    epochs : int, default=5
        Passes in stage 2 over the anchors of the class with the fewest. Published: 5 for Waterbirds.
    batch_size : int, default=128
        Anchors per step, divided evenly among the predicted classes.
    erm : SGD or None, default=None
        Optimizer of stage 1. None means that of `ERM`.
    random_state : int, default=0
        Seed of shuffles and draws.

    Attributes
    ----------
    erm_ : Model
        The model of stage 1.
    notes_ : tuple of str
        Notes for the user, one sentence each.

    References
    ----------
    M. Zhang et al., Correct-N-Contrast: A Contrastive Approach for Improving Robustness to Spurious
    Correlations, ICML 2022, arXiv 2203.01517.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> CnC(k=2, epochs=1).fit(X, y).predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"temperature": 0.05},
        {"contrast": 0.5},
        {"epochs": 20},
        {"learning_rate": 1e-2},
    )
    paper: ClassVar[str] = "Zhang et al., ICML 2022, arXiv 2203.01517"
    ranges: ClassVar[Ranges] = {
        "temperature": POSITIVE,
        "contrast": SHARE,
        "k": COUNT,
        "learning_rate": POSITIVE,
        "epochs": COUNT,
        "batch_size": COUNT,
    }

    def __init__(
        self,
        head: Head | None = None,
        temperature: float = 0.1,
        contrast: float = 0.75,
        k: int = 16,
        learning_rate: float = 1e-3,
        epochs: int = 5,
        batch_size: int = 128,
        erm: SGD | None = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.temperature = temperature
        self.contrast = contrast
        self.k = k
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.erm = erm
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        erm = train_erm(problem, self.erm or erm_sgd(problem), self.history_)
        self.erm_ = Model.of_state(problem, erm)
        parts = RowsByPrediction.of(erm.logits_of_all(problem.h, problem.prototypes), problem.y)
        self.notes_ = parts.notes
        state = problem.start.leaves()
        generator, dealer = torch_stream(problem.seed, "cnc"), torch_stream(problem.seed, "cnc", "anchors")
        dealt = [parts.deal(dealer) for _ in range(self.epochs)]

        shows = self._shows(problem, self.epochs)

        def loss(batch: Tensor, epoch: int) -> Tensor:
            sides = parts.draw(dealt[epoch][batch].flatten(), self.k, generator)
            terms = [_terms(problem, state, side, self.temperature) for side in sides]
            contrast = torch.stack([term for term, _ in terms]).mean()
            supervised = torch.stack([entropy for _, both in terms for entropy in both]).mean()
            return self.contrast * contrast + (1 - self.contrast) * supervised

        minimize(
            loss,
            state.parameters(),
            rows=parts.shortest,
            sgd=SGD(self.learning_rate, self.epochs, max(1, self.batch_size // len(parts.anchors))),
            generator=torch_stream(problem.seed, "cnc", "batches"),
            history=self.history_,
            stage=2,
            after_epoch=lambda epoch: shows(epoch, state),
        )
        return Model.of_state(problem, state.frozen())


def _terms(
    problem: Problem, state: State, side: ContrastDraw, temperature: float
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Return the contrast of one side, and the cross-entropies of its anchors and negatives."""
    anchors, positives, negatives = (
        state.embed(problem.h[rows.flatten()]).view(*rows.shape, -1)
        for rows in (side.anchors, side.positives, side.negatives)
    )
    contrast = supervised_contrastive_loss(
        draw_similarities(anchors, positives, side.positive_draw),
        draw_similarities(anchors, negatives, side.negative_draw),
        temperature,
    )
    scale = state.log_scale.exp()
    of_anchors, of_negatives = (
        cross_entropy(cosine_logits(z, problem.prototypes, scale), problem.y[rows.flatten()])
        for z, rows in ((anchors, side.anchors), (negatives.flatten(0, 1), side.negatives))
    )
    return contrast, (of_anchors, of_negatives)
