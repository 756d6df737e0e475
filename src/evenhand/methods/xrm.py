"""Cross-risk minimization (XRM): twin models infer environments for group DRO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand._random import torch_stream
from evenhand._ranges import NOT_NEGATIVE, Ranges
from evenhand.data.head import Head
from evenhand.methods._training.best_epoch import BestEpoch
from evenhand.methods._training.folds import with_validation
from evenhand.methods._training.loop import SGD, minimize
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.rows import RowView
from evenhand.methods._training.train_erm import erm_sgd
from evenhand.methods._training.train_group_dro import train_group_dro
from evenhand.methods._training.trained_state import State
from evenhand.methods.base import Method
from evenhand.selection.cells import Partition
from evenhand.selection.rules import MIN_ROWS, smallest


class XRM(Method):
    """Train twins on random halves, split the rows by the twins' errors, and train group DRO on the split.

    1. Each twin minimizes the cross-entropy of its half of the training rows. After each step, a label in the
       batch may flip to the class that the other twin predicts, which does not train on the row. The
       probability is (p − 1/C) · C / (C − 1), with p the other twin's confidence in that class. So each twin
       grows more confident in what is easy.
    2. A row is in environment 1 if either twin predicts another class than its label, else in environment 0.
       The same holds for validation rows.
    3. Group DRO is trained from the pretrained projection on the groups class × environment.
    4. The epoch with the highest worst accuracy over class × environment on the validation rows is kept.
       Cells with fewer than 5 rows do not count.

    If `fit` receives no validation rows, a fifth of the training rows is held out.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    step_size : float, default=0.01
        η of group DRO, at least 0.
    l2 : float, default=0.01
        λ of group DRO, at least 0: the penalty on the distance from the pretrained projection.
    twins : SGD or None, default=None
        Optimizer of the twins. None means that of `ERM`.
    erm : SGD or None, default=None
        Optimizer of group DRO, without weight decay. None means that of `ERM`.
    random_state : int, default=0
        Seed of held-out rows, halves, flips and shuffles.

    Attributes
    ----------
    environments_ : int64 Tensor [n]
        Environments of the rows used for training.
    scores_ : list of float
        The worst accuracy after each epoch of group DRO.
    notes_ : tuple of str
        Notes for the user, one sentence each.

    References
    ----------
    M. Pezeshki et al., Discovering Environments with XRM, ICML 2024, arXiv 2309.16748.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> XRM().fit(X, y).predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {},
        {"step_size": 0.1},
        {"l2": 0.1},
        {"twins": SGD(learning_rate=1e-2, epochs=5)},
        {"twins": SGD(learning_rate=1e-3, epochs=20)},
    )
    selection: ClassVar[str] = "worst_twin_environment"
    paper: ClassVar[str] = "Pezeshki et al., ICML 2024, arXiv 2309.16748"
    ranges: ClassVar[Ranges] = {"step_size": NOT_NEGATIVE, "l2": NOT_NEGATIVE}

    def __init__(
        self,
        head: Head | None = None,
        step_size: float = 0.01,
        l2: float = 1e-2,
        twins: SGD | None = None,
        erm: SGD | None = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.step_size = step_size
        self.l2 = l2
        self.twins = twins
        self.erm = erm
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        problem = with_validation(problem)
        sgd = self.erm or erm_sgd(problem)
        twins = Twins.trained(problem, self.twins or erm_sgd(problem), self.history_)
        self.environments_ = twins.environments(problem.h, problem.y)
        held = twins.environments(problem.h_val, problem.y_val)
        self.notes_ = (
            ()
            if bool(self.environments_.any())
            else ("the two models agree with every training label: the groups of group DRO are the classes",)
        )
        best = BestEpoch(problem, Partition.of(problem.y_val.numpy(), held.numpy(), MIN_ROWS), smallest)
        groups = torch.unique(2 * problem.y + self.environments_, return_inverse=True)[1]
        train_group_dro(
            problem,
            groups,
            replace(sgd, weight_decay=0.0),
            self.history_,
            step_size=self.step_size,
            l2=self.l2,
            stage=2,
            after_epoch=best,
        )
        self.scores_ = best.scores
        return Model.of_state(problem, best.kept())


@dataclass(frozen=True)
class Twins:
    """Two states, each trained on the half of the rows that the other does not train on.

    Attributes
    ----------
    states : pair of State
        The twins.
    prototypes : float32 Tensor [C, D_out]
        t_c.
    """

    states: tuple[State, State]
    prototypes: Tensor

    @classmethod
    def trained(cls, problem: Problem, sgd: SGD, history: list[dict[str, float]]) -> Twins:
        """Train the twins on random halves of the training rows of every class, with flips of the labels."""
        generator = torch_stream(problem.seed, "xrm")
        half = halves(problem.y, generator)
        states = (problem.start.leaves(), problem.start.leaves())
        labels = problem.y.clone()

        def loss(batch: Tensor, _epoch: int) -> Tensor:
            h, mine = problem.h[batch], half[batch]
            both = torch.stack([state.logits(h, problem.prototypes) for state in states])
            place = torch.arange(len(batch))
            value = cross_entropy(both[mine, place], labels[batch])
            labels[batch] = flipped(labels[batch], both[1 - mine, place].detach(), generator)
            return value

        minimize(
            loss,
            [*states[0].parameters(), *states[1].parameters()],
            rows=len(problem.y),
            sgd=sgd,
            generator=torch_stream(problem.seed, "xrm", "batches"),
            history=history,
            stage=1,
            order=problem.h.order,
        )
        return cls((states[0].frozen(), states[1].frozen()), problem.prototypes)

    def environments(self, rows: RowView, y: Tensor) -> Tensor:
        """Return 1 where either twin's prediction is not the class y, else 0, int64 [N]."""
        wrong = [state.logits_of_all(rows, self.prototypes).argmax(dim=1) != y for state in self.states]
        return (wrong[0] | wrong[1]).long()


def halves(y: Tensor, generator: torch.Generator) -> Tensor:
    """Return which half each row is in, int64 [N]: 0 and 1 in turns over the shuffled rows of each class."""
    order = torch.randperm(len(y), generator=generator)
    order = order[y[order].argsort(stable=True)]
    half = torch.empty_like(y)
    half[order] = torch.arange(len(y)) % 2
    return half


def flipped(labels: Tensor, logits: Tensor, generator: torch.Generator) -> Tensor:
    """Return labels [B] that flip to the largest logit's class with probability (p − 1/C) · C / (C − 1).

    p is the largest softmax probability of logits [B, C], so the probability of a flip goes from 0 for an
    undecided twin to 1 for a certain one.
    """
    n_classes = logits.shape[1]
    p, guess = logits.softmax(dim=1).max(dim=1)
    chance = (p - 1 / n_classes) * n_classes / (n_classes - 1)
    return torch.where(torch.rand(len(p), generator=generator) < chance, guess, labels)
