"""Logistic regression on the pretrained embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from evenhand.data.head import Head
from evenhand.methods._folds import with_validation
from evenhand.methods._model import Model
from evenhand.methods._problem import Problem
from evenhand.methods.base import Method

GRID = tuple(float(c) for c in np.logspace(-3, 3, 7))


class LinearProbe(Method):
    """Cross-entropy on unit z by L-BFGS, the inverse weight decay chosen by plain validation accuracy.

    Parameters
    ----------
    head : Head, optional
        Projection of the store.
    grid : sequence of float
        Inverse penalties C of scikit-learn's logistic regression; ties go to the strongest penalty.
    random_state : int
        Seeds the hold-out.

    Attributes
    ----------
    grid_ : list of dict
        Each tried value with its validation accuracy.
    """

    selection = "accuracy"

    def __init__(self, head: Head | None = None, grid: Sequence[float] = GRID, random_state: Any = 0) -> None:
        self.head = head
        self.grid = grid
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        problem = with_validation(problem)
        z, y = problem.start.embed_all(problem.h).numpy(), problem.y.numpy()
        z_val, y_val = problem.start.embed_all(problem.h_val).numpy(), problem.y_val.numpy()
        probes = [LogisticRegression(C=c, max_iter=1000).fit(z, y) for c in self.grid]
        scores = [float(probe.score(z_val, y_val)) for probe in probes]
        self.grid_ = [{"C": c, "accuracy": score} for c, score in zip(self.grid, scores, strict=True)]
        best = probes[int(np.argmax(scores))]
        coef, intercept = best.coef_, best.intercept_
        if len(coef) == 1:
            coef, intercept = np.vstack([-coef, coef]) / 2, np.concatenate([-intercept, intercept]) / 2
        return Model.of_probe(problem, coef, intercept)
