"""Group DRO: SGD on the losses of groups, with more weight on higher losses."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand._random import torch_stream
from evenhand.backbones.projection import Projection
from evenhand.functional.group_weights import group_means, update_group_weights
from evenhand.methods._training.loop import SGD, minimize
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.trained_state import State


def train_group_dro(
    problem: Problem,
    groups: Tensor,
    sgd: SGD,
    history: list[dict[str, float]],
    *,
    step_size: float,
    l2: float,
    stage: int = 1,
    after_epoch: Callable[[int, State], None] | None = None,
) -> tuple[State, Tensor]:
    """Minimize Σ_g q_g L_g + ½ λ ‖W − W0‖² with q_g ← q_g · exp(η L_g), normalized, before each step.

    Parameters
    ----------
    problem : Problem
        Rows, and the pretrained state to start from.
    groups : int64 Tensor [N]
        Group codes 0 … G − 1; every group has a row.
    sgd : SGD
        Optimizer.
    history : list of dict
        Receives one entry per epoch.
    step_size, l2 : float
        η and λ.
    stage : int, default=1
        Stage in the history.
    after_epoch : callable or None, default=None
        Called with the number of finished epochs and the state after them.

    Returns
    -------
    State, float32 Tensor [G]
        The last state and the last q.
    """
    state = problem.start.leaves()
    start = _weights(problem.start.projection)
    q = torch.full((int(groups.max()) + 1,), 1 / (int(groups.max()) + 1))

    def loss(batch: Tensor, _epoch: int) -> Tensor:
        logits = state.logits(problem.h[batch], problem.prototypes)
        losses = cross_entropy(logits, problem.y[batch], reduction="none")
        means = group_means(losses, groups[batch], len(q))
        q.copy_(update_group_weights(q, means.detach(), step_size))
        moved = zip(_weights(state.projection), start, strict=True)
        return q @ means + l2 / 2 * sum((now - then).square().sum() for now, then in moved)

    minimize(
        loss,
        state.parameters(),
        rows=len(problem.y),
        sgd=sgd,
        generator=torch_stream(problem.seed, "group_dro"),
        history=history,
        stage=stage,
        order=problem.h.order,
        after_epoch=after_epoch and (lambda epoch: after_epoch(epoch, state)),
    )
    return state.frozen(), q


def _weights(projection: Projection) -> list[Tensor]:
    return [tensor.cpu() for name, tensor in projection.tensors().items() if not name.endswith("bias")]
