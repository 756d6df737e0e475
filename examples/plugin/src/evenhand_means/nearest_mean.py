"""Classify by the nearest class mean of the pretrained embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from evenhand.data import Head
from evenhand.methods import Method, Model
from evenhand.methods.base import Problem


class NearestMean(Method):
    """Predict the class whose mean embedding is nearest: argmax_c z · m_c − (1 − r) ‖m_c‖² / 2.

    m_c is the mean of the unit embeddings of class c. With r = 0 it is the nearest mean; with r = 1 the
    length of the mean, which is short for a class that is spread out, counts as evidence.

    Parameters
    ----------
    head : Head, optional
        Projection of the store.
    reach : float
        r, between 0 and 1.
    random_state : int
        Unused: nothing is drawn.
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = ({}, {"reach": 1.0})

    def __init__(self, head: Head | None = None, reach: float = 0.0, random_state: Any = 0) -> None:
        self.head = head
        self.reach = reach
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        z, y = problem.start.embed_all(problem.h).numpy(), problem.y.numpy()
        means = np.stack([z[y == code].mean(axis=0) for code in range(problem.n_classes)])
        return Model.of_probe(problem, means, -(1 - self.reach) * (means**2).sum(axis=1) / 2)
