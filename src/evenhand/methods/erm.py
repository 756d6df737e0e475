"""Stage 1 as a method: cross-entropy on the projection, trunk and text frozen."""

from __future__ import annotations

from typing import Any

from evenhand.data.head import Head
from evenhand.methods._erm import train_erm
from evenhand.methods._loop import SGD
from evenhand.methods._model import Model
from evenhand.methods._problem import Problem
from evenhand.methods.base import Method

ERM_SGD = SGD(learning_rate=1e-2, epochs=20)
"""A step at which the training loss flattens. The published 1e-4 belongs to a whole attention pool."""


class ERM(Method):
    """Minimise the mean cross-entropy of s · z_i · t_c over W (b, s).

    Parameters
    ----------
    head : Head, optional
        Projection and prototypes of the store.
    learning_rate, epochs, batch_size : float, int, int
        Of SGD with momentum 0.9 and weight decay 1e-5, in unit coordinates.
    random_state : int
        Seeds hold-out and shuffles.
    """

    def __init__(
        self,
        head: Head | None = None,
        learning_rate: float = ERM_SGD.learning_rate,
        epochs: int = ERM_SGD.epochs,
        batch_size: int = ERM_SGD.batch_size,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        sgd = SGD(self.learning_rate, self.epochs, self.batch_size)
        return Model.of_state(problem, train_erm(problem, sgd, self.history_))
