"""ERM: cross-entropy over all rows, from the pretrained projection."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand._random import torch_stream
from evenhand.backbones.projection import LinearProjection
from evenhand.methods._training.loop import SGD, minimize
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.trained_state import State

ERM_SGD = SGD(learning_rate=1e-2, epochs=20)
"""The default for a linear projection, whose training loss flattens with it."""

PUBLISHED_SGD = SGD(learning_rate=1e-4, epochs=100)
"""The published settings, for an attention pool; they hardly change a linear projection alone."""


def erm_sgd(problem: Problem) -> SGD:
    """Return the default optimizer of ERM."""
    return ERM_SGD if isinstance(problem.start.projection, LinearProjection) else PUBLISHED_SGD


def train_erm(
    problem: Problem,
    sgd: SGD,
    history: list[dict[str, float]],
    *,
    weights: Tensor | None = None,
    offsets: Tensor | None = None,
    after_epoch: Callable[[int, State], None] | None = None,
    stage: int = 1,
) -> State:
    """Minimize the mean cross-entropy of s · z_i · t_c over W (b, s) and return the last state.

    Parameters
    ----------
    problem : Problem
        Rows, and the pretrained state to start from.
    sgd : SGD
        Optimizer. A run with fewer epochs equals the start of a longer run, bit for bit.
    history : list of dict
        Receives one entry per epoch.
    weights : float32 Tensor [N] or None, default=None
        w_i, with mean 1. The loss of a batch is the mean of w_i · loss_i. It is not divided by the weights of
        the batch, so its gradient is unbiased.
    offsets : float32 Tensor [N, C] or None, default=None
        Added to the logits of each row in the loss.
    after_epoch : callable or None, default=None
        Called with the number of finished epochs and the state after them, whose tensors change later.
    stage : int, default=1
        Stage in the history.
    """
    state = problem.start.leaves()

    def loss(batch: Tensor, _epoch: int) -> Tensor:
        logits, y = state.logits(problem.h[batch], problem.prototypes), problem.y[batch]
        if offsets is not None:
            logits = logits + offsets[batch]
        if weights is None:
            return cross_entropy(logits, y)
        return (weights[batch] * cross_entropy(logits, y, reduction="none")).mean()

    minimize(
        loss,
        state.parameters(),
        rows=len(problem.y),
        sgd=sgd,
        generator=torch_stream(problem.seed, "erm"),
        history=history,
        stage=stage,
        order=problem.h.order,
        after_epoch=after_epoch and (lambda epoch: after_epoch(epoch, state)),
    )
    return state.frozen()
