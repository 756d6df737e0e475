"""Logistic regression on the pretrained embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sklearn.metrics import accuracy_score

from evenhand._ranges import POSITIVE, Each, Ranges
from evenhand.data.head import Head
from evenhand.methods._training.logistic import GRID, fit_on_grid
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods.base import Method


class LinearProbe(Method):
    """Cross-entropy on unit z by L-BFGS, the inverse weight decay chosen by plain validation accuracy.

    Parameters
    ----------
    head : Head, optional
        Projection of the store.
    grid : sequence of float
        Inverse penalties C of scikit-learn's logistic regression; ties go to the one that comes first, the
        strongest penalty by default.
    random_state : int
        Seeds the hold-out.

    Attributes
    ----------
    grid_ : list of dict
        Each tried value with its validation accuracy.
    """

    selection = "accuracy"
    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = tuple(
        {"grid": (c,)} for c in (1.0, 0.1, 10.0, 0.01, 100.0)
    )
    paper = "Radford et al., ICML 2021, arXiv 2103.00020"
    ranges: ClassVar[Ranges] = {"grid": Each(POSITIVE)}

    def __init__(self, head: Head | None = None, grid: Sequence[float] = GRID, random_state: Any = 0) -> None:
        self.head = head
        self.grid = grid
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        score = "accuracy", accuracy_score
        model, self.grid_ = fit_on_grid(problem, self.grid, class_weight=None, score=score)
        return model
