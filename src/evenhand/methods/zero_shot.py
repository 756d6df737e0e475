"""Stage 0: the pretrained projection and the text prototypes, nothing trained."""

from __future__ import annotations

from typing import Any, ClassVar

from evenhand.data.head import Head
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method


class ZeroShot(Method):
    """Predict argmax_c s · z_i · t_c with W0; centered class centroids where there is no text.

    Parameters
    ----------
    head : Head, optional
        Projection and prototypes of the store.
    random_state : int
        Seeds the hold-out, which this method does not use.
    """

    paper = "Radford et al., ICML 2021, arXiv 2103.00020"
    streams: ClassVar[bool] = True

    def __init__(self, head: Head | None = None, random_state: Any = 0) -> None:
        self.head = head
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        return Model.of_state(problem, problem.start)
