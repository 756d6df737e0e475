"""Group DRO: the loss of the worst group instead of the mean loss, with group labels in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand._ranges import COUNT, NOT_NEGATIVE, POSITIVE, Ranges, or_none
from evenhand.data.head import Head
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import erm_sgd
from evenhand.methods._training.train_group_dro import train_group_dro
from evenhand.methods.base import Method


class GroupDRO(Method):
    """Minimize Σ_g q_g L_g + ½ λ ‖W − W0‖² over the projection W and s; q_g grows with the loss of group g.

    A group is a class crossed with a group label. Training rows with an unknown label are left out. In each
    step q_g ← q_g e^{η L_g} / Σ_k q_k e^{η L_k}, with L_g the mean cross-entropy of the batch's rows in g.

    Group DRO depends on strong regularization. Weight decay would not regularize here, since unit embeddings
    do not change when W shrinks. The L2 penalty on the distance from the pretrained W0 takes its place. It
    covers W, and all weights of an attention pool, but neither biases nor s.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    step_size : float, default=0.01
        η, at least 0; 0.01 as published.
    l2 : float, default=0.01
        λ, at least 0, in coordinates where features and projected rows have root-mean-square norm 1.
    learning_rate : float or None, default=None
        Learning rate of SGD with momentum 0.9, above 0. None means that of `ERM`.
    epochs : int or None, default=None
        Passes over the rows. None means that of `ERM`.
    batch_size : int, default=128
        Rows per step.
    random_state : int, default=0
        Seed of the shuffles.

    Attributes
    ----------
    q_ : float32 [G]
        The final weights of the groups, in the order of `groups_`.
    groups_ : list of (label, int)
        Class and code of the group label of each group.

    References
    ----------
    S. Sagawa et al., Distributionally Robust Neural Networks for Group Shifts, ICLR 2020, arXiv 1911.08731.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> model = GroupDRO(epochs=2).fit(X, y, groups=["red", "blue"] * 10)
    >>> model.groups_
    [('left', 0), ('left', 1), ('right', 0), ('right', 1)]
    """

    group_labels_used: ClassVar[Literal["none", "validation", "train"]] = "train"
    needs: ClassVar[tuple[str, ...]] = ("groups",)
    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"l2": 1e-3},
        {"l2": 1e-1},
        {"step_size": 0.1},
    )
    paper: ClassVar[str] = "Sagawa et al., ICLR 2020, arXiv 1911.08731"
    streams: ClassVar[bool] = True
    ranges: ClassVar[Ranges] = {
        "step_size": NOT_NEGATIVE,
        "l2": NOT_NEGATIVE,
        "learning_rate": or_none(POSITIVE),
        "epochs": or_none(COUNT),
        "batch_size": COUNT,
    }

    def __init__(
        self,
        head: Head | None = None,
        step_size: float = 0.01,
        l2: float = 1e-2,
        learning_rate: float | None = None,
        epochs: int | None = None,
        batch_size: int = 128,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.step_size = step_size
        self.l2 = l2
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        rows, groups = self._known_groups(problem)
        sgd = self._sgd(problem)
        known = replace(problem, h=problem.h.take(rows), y=problem.y[rows])
        state, q = train_group_dro(
            known,
            groups,
            sgd,
            self.history_,
            step_size=self.step_size,
            l2=self.l2,
            after_epoch=self._shows(problem, sgd.epochs),
        )
        self.q_ = q.numpy()
        return Model.of_state(problem, state)

    def _sgd(self, problem: Problem) -> Any:
        usual = erm_sgd(problem)
        return replace(
            usual,
            learning_rate=usual.learning_rate if self.learning_rate is None else self.learning_rate,
            epochs=usual.epochs if self.epochs is None else self.epochs,
            batch_size=self.batch_size,
            weight_decay=0.0,
        )

    def _known_groups(self, problem: Problem) -> tuple[Tensor, Tensor]:
        """Return the numbers [n] of the training rows of known group, and their group codes [n]."""
        labels = problem.groups
        if labels is None or not (labels >= 0).any():
            raise EvenhandError(
                "groups: no training row has a group label, but group DRO needs them in training; "
                "give groups, or choose a method that uses no groups"
            )
        rows = np.flatnonzero(labels >= 0)
        y = problem.y.numpy()[rows]
        absent = np.setdiff1d(np.arange(problem.n_classes), y)
        if len(absent):
            raise EvenhandError(
                f"groups: no training row of class {self.classes_.tolist()[absent[0]]!r} has a group label; "
                "label some of every class"
            )
        span = int(labels.max()) + 1
        cells, numbers = np.unique(y * span + labels[rows], return_inverse=True)
        self.groups_ = [(self.classes_.tolist()[cell // span], int(cell % span)) for cell in cells]
        return torch.from_numpy(rows), torch.from_numpy(numbers)
