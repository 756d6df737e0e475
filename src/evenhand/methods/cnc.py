"""Correct-N-Contrast (arXiv 2203.01517): rows of a class that ERM predicts differently are drawn together."""

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
from evenhand.methods._training.state import State
from evenhand.methods._training.train_erm import erm_sgd, train_erm
from evenhand.methods.base import Method


class CnC(Method):
    """Contrast rows of one class that ERM predicts differently, and rows that it predicts alike.

    ERM's predictions ŷ part the training rows. An anchor is a row that ERM has right; its positives are rows
    of its class that ERM has wrong, its negatives rows of other classes that ERM takes for the anchor's. The
    contrast is two-sided: a positive is an anchor too, with positives among the right rows of its class and
    negatives among the right rows of the class that ERM takes it for. From the pretrained projection,

        contrast · SupCon + (1 − contrast) · CE

    is minimized over W and s; SupCon is the mean over the anchors of both sides, CE the mean of the
    cross-entropies of anchors, positives and both kinds of negatives, which count alike.

    Parameters
    ----------
    head : Head, optional
        Projection and prototypes of the store.
    temperature : float
        τ of the contrast; 0.1 published for Waterbirds, 0.05 for CelebA.
    contrast : float
        Share of the contrast; 0.75 as published.
    k : int
        Positives and negatives of each anchor, drawn anew at every step; 17 published for Waterbirds. Anchors
        of one class share a draw in a step.
    learning_rate, epochs, batch_size
        Of stage 2, by SGD with momentum 0.9; an epoch passes over the anchors once. Published for Waterbirds
        are 5 epochs; the published step of 1e-4 is that of a whole network and hardly moves W alone.
    erm : SGD, optional
        How the ERM that is asked is trained.
    random_state : int
        Seeds shuffles and draws.

    Attributes
    ----------
    erm_ : Model
        The ERM that was asked.
    notes_ : tuple of str
        What the user should know.
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
        generator = torch_stream(problem.seed, "cnc")

        def loss(batch: Tensor, _epoch: int) -> Tensor:
            sides = parts.draw(parts.anchors[batch], self.k, generator)
            terms = [_terms(problem, state, side, self.temperature) for side in sides]
            contrast = torch.stack([term for term, _ in terms]).mean()
            supervised = torch.stack([entropy for _, both in terms for entropy in both]).mean()
            return self.contrast * contrast + (1 - self.contrast) * supervised

        minimize(
            loss,
            state.parameters(),
            rows=len(parts.anchors),
            sgd=SGD(self.learning_rate, self.epochs, self.batch_size),
            generator=torch_stream(problem.seed, "cnc", "batches"),
            history=self.history_,
            stage=2,
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
