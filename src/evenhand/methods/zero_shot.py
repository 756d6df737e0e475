"""Zero-shot: the pretrained projection and the prototypes, without training."""

from __future__ import annotations

from typing import Any, ClassVar

from evenhand.data.head import Head
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method


class ZeroShot(Method):
    """Predict argmax_c s · z_i · t_c with the pretrained projection; nothing is trained.

    If the head has no text, centered class centroids of the training rows are the prototypes.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    random_state : int, default=0
        Not used.

    References
    ----------
    A. Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from evenhand import Head
    >>> eye = np.eye(2, dtype=np.float32)
    >>> model = ZeroShot(Head(eye, None, ("left", "right"), text=eye)).fit(eye, ["left", "right"])
    >>> model.predict([[2, 1], [1, 2]]).tolist()
    ['left', 'right']
    """

    paper = "Radford et al., ICML 2021, arXiv 2103.00020"
    streams: ClassVar[bool] = True

    def __init__(self, head: Head | None = None, random_state: Any = 0) -> None:
        self.head = head
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        return Model.of_state(problem, problem.start)
