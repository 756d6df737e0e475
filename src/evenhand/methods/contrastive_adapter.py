"""Contrastive adapter: a small network on z, trained on the rows that zero-shot misclassifies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand._random import torch_stream
from evenhand._ranges import COUNT, NOT_NEGATIVE, POSITIVE, Range, Ranges
from evenhand.data.head import Head
from evenhand.functional.contrastive import calibration_loss_of_similarities, draw_similarities
from evenhand.functional.geometry import cosine_logits, unit
from evenhand.methods._draws.negatives import NearestNegatives
from evenhand.methods._draws.positives import DrawnRows
from evenhand.methods._draws.sampling import RowsByClass, SamplingPool
from evenhand.methods._training.adapter import Adapter
from evenhand.methods._training.loop import SGD, minimize
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method
from evenhand.methods.cfr.calibration_set import Misclassified


class ContrastiveAdapter(Method):
    """Train an adapter a(z) that pulls misclassified rows to the correctly classified rows of their class.

    "Classified" means classified by zero-shot. Two kinds of epochs alternate, starting with the contrast:

    - Contrast. An anchor is a misclassified row. Its positives are correctly classified rows of its class,
      and its negatives are the rows of other classes that are nearest by the cosine of z. The loss is
      `calibration_loss` of the adapted embeddings.
    - Cross-entropy of s · a(z) · t_c. Every pair (class, zero-shot prediction) that occurs is equally likely.

    The adapter is D → hidden → D with batch norm and ReLU, without a residual connection. The projection
    below it, the prototypes and s stay fixed.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    hidden : int, default=128
        Width of the hidden layer; 128 as published.
    temperature : float, default=0.1
        τ of the contrast, above 0; 0.1 as published.
    logit_scale : float, default=100.0
        s, above 0; 100 as published.
    positives : int, default=64
        Positives per anchor and step; the authors draw 2,048.
    negatives : int, default=16
        Negatives per anchor and step; the authors draw 2,048.
    learning_rate : float, default=0.001
        Learning rate of SGD with momentum 0.9, above 0; 1e-3 as published.
    epochs : int, default=100
        Epochs of both kinds together; 100 as published.
    batch_size : int, default=128
        Rows per step, at least 2; 128 as published.
    weight_decay : float, default=5e-05
        Weight decay of SGD, at least 0; 5e-5 as published.
    random_state : int, default=0
        Seed of the initial adapter, shuffles and draws.

    Attributes
    ----------
    notes_ : tuple of str
        Notes for the user, one sentence each.

    References
    ----------
    M. Zhang, C. Ré, Contrastive Adapters for Foundation Model Group Robustness, NeurIPS 2022, arXiv
    2207.07180.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> ContrastiveAdapter(hidden=4, epochs=2).fit(X, y).predict_proba(X).shape
    (20, 2)
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"epochs": 50},
        {"learning_rate": 3e-4},
        {"learning_rate": 3e-3},
    )
    paper: ClassVar[str] = "Zhang and Ré, NeurIPS 2022, arXiv 2207.07180"
    ranges: ClassVar[Ranges] = {
        "hidden": COUNT,
        "temperature": POSITIVE,
        "logit_scale": POSITIVE,
        "positives": COUNT,
        "negatives": COUNT,
        "learning_rate": POSITIVE,
        "epochs": COUNT,
        "batch_size": Range(2, whole=True),
        "weight_decay": NOT_NEGATIVE,
    }

    def __init__(
        self,
        head: Head | None = None,
        hidden: int = 128,
        temperature: float = 0.1,
        logit_scale: float = 100.0,
        positives: int = 64,
        negatives: int = 16,
        learning_rate: float = 1e-3,
        epochs: int = 100,
        batch_size: int = 128,
        weight_decay: float = 5e-5,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.hidden = hidden
        self.temperature = temperature
        self.logit_scale = logit_scale
        self.positives = positives
        self.negatives = negatives
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Balancing over zero-shot's confusions costs accuracy on plain problems such as scikit-learn's.
        tags.classifier_tags.poor_score = True
        return tags

    def _learn(self, problem: Problem) -> Model:
        training = _Training(self, problem)
        self.notes_ = training.chosen.notes

        def model() -> Model:
            return Model(
                training.adapter.projection(problem.coordinates.to_raw(problem.start.projection)),
                problem.prototypes.numpy(),
                np.zeros(problem.n_classes, dtype=np.float32),
                self.logit_scale,
            )

        minimize(
            training.loss,
            training.adapter.parameters(),
            rows=len(problem.y),
            sgd=SGD(self.learning_rate, self.epochs, self.batch_size, weight_decay=self.weight_decay),
            generator=torch_stream(problem.seed, "adapter", "batches"),
            history=self.history_,
            stage=2,
            after_epoch=lambda epoch: self._show(epoch, self.epochs, model),
        )
        return model()


class _Training:
    """The two losses of one fit."""

    def __init__(self, method: ContrastiveAdapter, problem: Problem) -> None:
        self._method, self._problem = method, problem
        self._generator = torch_stream(problem.seed, "adapter")
        self._z, y = problem.start.embed_all(problem.h), problem.y
        source = cosine_logits(self._z, problem.prototypes, 1.0)
        self.chosen = Misclassified()(source, y)
        pool = SamplingPool(lambda: self._z, y, self.chosen.anchors, self.chosen.positives)
        self._draw_positives = DrawnRows(method.positives).sampler(pool)
        self._draw_negatives = NearestNegatives(method.negatives).sampler(pool)
        self._cells = _cells(y, source.argmax(dim=1), problem.n_classes)
        self.adapter = Adapter.drawn(
            self._z.shape[1], method.hidden, torch_stream(problem.seed, "adapter", "start")
        )

    def loss(self, batch: Tensor, epoch: int) -> Tensor:
        """Return the contrast in even epochs, counted from 0, and the balanced cross-entropy in odd epochs.

        Only the size of the batch matters: both losses draw their own rows.
        """
        return self._supervised(max(2, len(batch))) if epoch % 2 else self._contrast(len(batch))

    def _contrast(self, size: int) -> Tensor:
        anchors = self.chosen.anchors
        a = anchors[torch.randint(len(anchors), (size,), generator=self._generator)]
        codes = self._problem.y[a]
        p = self._draw_positives(a, codes, self._generator)
        n = self._draw_negatives(a, codes, self._generator)
        rows = torch.cat([a, p.rows.flatten(), n.rows.flatten()])
        z_a, z_p, z_n = torch.split(
            unit(self.adapter(self._z[rows])), [len(a), p.rows.numel(), n.rows.numel()]
        )
        return calibration_loss_of_similarities(
            draw_similarities(z_a, z_p.view(*p.rows.shape, -1), p.draw),
            draw_similarities(z_a, z_n.view(*n.rows.shape, -1), n.draw),
            self._method.temperature,
        )

    def _supervised(self, size: int) -> Tensor:
        cells = torch.randint(len(self._cells.sizes), (size,), generator=self._generator)
        rows = self._cells.inside(cells, 1, self._generator).squeeze(1)
        z = unit(self.adapter(self._z[rows]))
        logits = cosine_logits(z, self._problem.prototypes, self._method.logit_scale)
        return cross_entropy(logits, self._problem.y[rows])


def _cells(y: Tensor, predicted: Tensor, n_classes: int) -> RowsByClass:
    """Return the rows of each (class, prediction) that occurs, from codes and predictions [N]."""
    numbers = torch.unique(y * n_classes + predicted, return_inverse=True)[1]
    return RowsByClass.of_codes(numbers, int(numbers.max()) + 1)
