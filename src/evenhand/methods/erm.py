"""Empirical risk minimization on the projection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from evenhand._ranges import COUNT, POSITIVE, Ranges, or_none
from evenhand.data.head import Head
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import ERM_SGD, PUBLISHED_SGD, erm_sgd, train_erm
from evenhand.methods.base import Method


class ERM(Method):
    """Minimize the mean cross-entropy of the logits s · z_i · t_c over the projection and s.

    The trunk and the prototypes stay frozen. SGD starts from the pretrained projection, with momentum 0.9 and
    weight decay 1e-5.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    learning_rate : float or None, default=None
        Learning rate of SGD, above 0. None means 0.01 for a linear projection and 0.0001 for an attention
        pool.
    epochs : int or None, default=None
        Passes over the rows. None means 20 for a linear projection and 100 for an attention pool.
    batch_size : int, default=128
        Rows per step.
    random_state : int, default=0
        Seed of the shuffles.

    References
    ----------
    C. You et al., Calibrating Multi-modal Representations: A Pursuit of Group Robustness without Annotations,
    CVPR 2024, arXiv 2403.07241, stage 1.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> ERM(epochs=2).fit(X, y).predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"learning_rate": PUBLISHED_SGD.learning_rate, "epochs": PUBLISHED_SGD.epochs},
        {"epochs": 5},
        {"epochs": 50},
    )
    paper = "You et al., CVPR 2024, arXiv 2403.07241, its first stage"
    streams: ClassVar[bool] = True
    ranges: ClassVar[Ranges] = {
        "learning_rate": or_none(POSITIVE),
        "epochs": or_none(COUNT),
        "batch_size": COUNT,
    }

    def __init__(
        self,
        head: Head | None = None,
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int = ERM_SGD.batch_size,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        usual = erm_sgd(problem)
        sgd = SGD(
            usual.learning_rate if self.learning_rate is None else self.learning_rate,
            usual.epochs if self.epochs is None else self.epochs,
            self.batch_size,
        )
        shows = self._shows(problem, sgd.epochs)
        return Model.of_state(problem, train_erm(problem, sgd, self.history_, after_epoch=shows))
