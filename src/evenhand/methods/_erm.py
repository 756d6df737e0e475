"""Stage 1: cross-entropy over all rows, from the pretrained projection."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand._random import torch_stream
from evenhand.methods._loop import SGD, minimise
from evenhand.methods._problem import Problem
from evenhand.methods._state import State


def train_erm(problem: Problem, sgd: SGD, history: list[dict[str, float]]) -> State:
    """Minimise the mean cross-entropy of s · z_i · t_c over W (b, s) and return the last state."""
    state = problem.start.leaves()

    def loss(batch: Tensor, _epoch: int) -> Tensor:
        return cross_entropy(state.logits(problem.h[batch], problem.prototypes), problem.y[batch])

    def after_epoch(epoch: int, mean_loss: float) -> None:
        history.append({"stage": 1, "epoch": epoch, "loss": mean_loss})

    minimise(
        loss,
        state.parameters(),
        rows=len(problem.y),
        sgd=sgd,
        generator=torch_stream(problem.seed, "erm"),
        after_epoch=after_epoch,
    )
    return state.frozen()
