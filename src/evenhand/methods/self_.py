"""Selective last-layer finetuning (SELF), on the few held-out rows that models disagree on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from scipy.special import log_softmax
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand._errors import EvenhandError, NotAllowedError
from evenhand._random import numpy_stream, torch_stream
from evenhand._ranges import COUNT, INSIDE, POSITIVE, Ranges
from evenhand._typing import Floats, Ints
from evenhand.data.head import Head
from evenhand.methods._training.last_layer import (
    Base,
    HeldOutFeatures,
    LastLayer,
    balancing_weights,
    hold_out_and_train,
)
from evenhand.methods._training.loop import SGD, minimize
from evenhand.methods._training.model import Model
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import erm_sgd, train_erm
from evenhand.methods.base import Method

Criterion: TypeAlias = Literal["early_stop", "dropout", "loss"]
BATCH = 32
"""Rows per step of finetuning, as published."""


# Not named SELF: scikit-learn's make_pipeline names its steps in lower case, and fails on a step called self.
class SelectiveFinetuning(Method):
    """SELF: finetune ERM's last layer on the held-out rows with the highest score.

    ERM is trained on four fifths of the training rows, with all classes weighted alike. Of the other fifth,
    the `rows` rows with the highest score are used to finetune the last layer. The score is one of

    - "early_stop": KL(q ‖ p), with p the probabilities of ERM and q those of ERM stopped early;
    - "dropout": KL(p ‖ q), with q the probabilities of ERM with dropout before its last layer;
    - "loss": the cross-entropy of ERM.

    SGD starts from ERM's last layer. It minimizes the mean over these m rows of w_i · cross-entropy_i, with
    w_i = m / (K · m_{y_i}), where the rows hold K classes with m_c rows each.

    Parameters
    ----------
    head : Head or None, default=None
        Projection and prototypes of the store; None takes X itself as the embedding.
    criterion : "early_stop", "dropout" or "loss", default="early_stop"
        The score that selects the rows.
    rows : int, default=500
        Rows to finetune on, or all held-out rows if there are fewer. Published: 20, 100 or 500.
    learning_rate : float, default=0.01
        Learning rate of finetuning, above 0. Published: 1e-4, 1e-3 or 1e-2.
    steps : int, default=250
        Steps of 32 rows, rounded up to whole passes over the rows. Published: 250.
    early : float, default=0.5
        Share of the epochs after which ERM is stopped early, between 0 and 1. Published: 0.1, 0.2 or 0.5.
    dropout : float, default=0.5
        Probability of dropping a feature, between 0 and 1. Published: 0.5, 0.7 or 0.9.
    erm : SGD or None, default=None
        Optimizer of the first stage. None means that of `ERM`.
    random_state : int, default=0
        Seed of held-out rows, shuffles and dropout.

    Attributes
    ----------
    selected_ : int64 [m]
        Numbers of the training rows used for finetuning, the highest score first.
    notes_ : tuple of str
        Notes for the user, one sentence each.

    References
    ----------
    T. LaBonte et al., Towards Last-Layer Retraining for Group Robustness with Fewer Annotations, NeurIPS
    2023, arXiv 2309.08534.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0, 1], [0, 2], [1, 0], [2, 0]] * 5), ["left", "left", "right", "right"] * 5
    >>> SelectiveFinetuning(criterion="loss").fit(X, y).predict([[0, 3], [3, 0]]).tolist()
    ['left', 'right']
    """

    configurations: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {"rows": 500},
        {"rows": 100},
        {"rows": 20},
        {"rows": 100, "criterion": "loss", "learning_rate": 1e-4},
        {"rows": 100, "criterion": "dropout"},
    )
    paper = "LaBonte et al., NeurIPS 2023, arXiv 2309.08534"
    ranges: ClassVar[Ranges] = {
        "rows": COUNT,
        "learning_rate": POSITIVE,
        "steps": COUNT,
        "early": INSIDE,
        "dropout": INSIDE,
    }

    def __init__(
        self,
        head: Head | None = None,
        criterion: Criterion = "early_stop",
        rows: int = 500,
        learning_rate: float = 1e-2,
        steps: int = 250,
        early: float = 0.5,
        dropout: float = 0.5,
        erm: SGD | None = None,
        random_state: Any = 0,
    ) -> None:
        self.head = head
        self.criterion = criterion
        self.rows = rows
        self.learning_rate = learning_rate
        self.steps = steps
        self.early = early
        self.dropout = dropout
        self.erm = erm
        self.random_state = random_state

    def _learn(self, problem: Problem) -> Model:
        if self.criterion not in CRITERIA:
            raise NotAllowedError.of("criterion", self.criterion, CRITERIA)
        sgd = self.erm or erm_sgd(problem)
        base = hold_out_and_train(problem, sgd, self.history_, balanced=True)
        chosen = highest(CRITERIA[self.criterion](self, base, sgd), self.rows)
        self.selected_ = base.held[chosen]
        absent = np.setdiff1d(np.arange(problem.n_classes), base.y[chosen])
        self.notes_ = _absence(self.classes_[absent].tolist(), problem.n_classes, len(chosen))
        return self._finetuned(base, chosen, problem.seed)

    def _finetuned(self, base: Base, chosen: Ints, seed: int) -> Model:
        u, y = torch.from_numpy(base.seen.u[chosen]).float(), torch.from_numpy(base.y[chosen])
        weights = torch.from_numpy(balancing_weights(base.y[chosen])).float()
        weight, bias = (
            torch.from_numpy(start).float().requires_grad_()
            for start in (base.seen.layer.weight, base.seen.layer.bias)
        )

        def loss(batch: Tensor, _epoch: int) -> Tensor:
            losses = cross_entropy(u[batch] @ weight.T + bias, y[batch], reduction="none")
            return (weights[batch] * losses).mean()

        def model() -> Model:
            return base.model(LastLayer(weight.detach().double().numpy(), bias.detach().double().numpy()))

        passes = ceil(self.steps / ceil(len(y) / BATCH))
        minimize(
            loss,
            [weight, bias],
            rows=len(y),
            sgd=SGD(self.learning_rate, passes, BATCH),
            generator=torch_stream(seed, "self", "finetune"),
            history=self.history_,
            stage=2,
            after_epoch=lambda epoch: self._show(epoch, passes, model),
        )
        return model()


def _absence(names: list[Any], n_classes: int, rows: int) -> tuple[str, ...]:
    if not names:
        return ()
    named = ", ".join(map(repr, names[:5])) + (", …" if len(names) > 5 else "")
    return (
        f"{len(names)} of {n_classes} classes ({named}) have no row among the {rows} that finetune; "
        "raise rows to have them",
    )


def highest(scores: Floats, rows: int) -> Ints:
    """Return the positions of the `rows` highest scores [M], in descending order; ties keep their order."""
    return np.argsort(-scores, kind="stable")[:rows]


def disagreement(p_logits: Floats, q_logits: Floats) -> Floats:
    """Return KL(p_i ‖ q_i) = Σ_c p_ic (log p_ic − log q_ic), [M], of the softmax of logits [M, C]."""
    log_p, log_q = log_softmax(p_logits, axis=1), log_softmax(q_logits, axis=1)
    divergence: Floats = (np.exp(log_p) * (log_p - log_q)).sum(axis=1)
    return divergence


def _early_stop(method: SelectiveFinetuning, base: Base, sgd: SGD) -> Floats:
    """Return the disagreement of ERM after a share of its epochs with ERM, as in the authors' code."""
    epochs = max(1, round(method.early * sgd.epochs))
    if epochs >= sgd.epochs:
        raise EvenhandError(
            f"early: a share {method.early} of {sgd.epochs} epochs is {epochs}, so nothing stops early; "
            "give erm more epochs, or choose another criterion"
        )
    early = train_erm(base.problem, replace(sgd, epochs=epochs), [], weights=base.weights)
    return disagreement(HeldOutFeatures.of(early, base.problem).logits, base.seen.logits)


def _dropout(method: SelectiveFinetuning, base: Base, _sgd: SGD) -> Floats:
    """Return the disagreement of ERM with ERM under dropout before its last layer."""
    generator = numpy_stream(base.problem.seed, "self", "dropout")
    kept = generator.random(base.seen.u.shape) >= method.dropout
    dropped = base.seen.u * kept / (1 - method.dropout)
    return disagreement(base.seen.logits, base.seen.layer.logits(dropped))


def _loss(_method: SelectiveFinetuning, base: Base, _sgd: SGD) -> Floats:
    """Return ERM's cross-entropy."""
    return base.losses()


CRITERIA: dict[str, Callable[[SelectiveFinetuning, Base, SGD], Floats]] = {
    "early_stop": _early_stop,
    "dropout": _dropout,
    "loss": _loss,
}
"""Scores of held-out rows by name."""
