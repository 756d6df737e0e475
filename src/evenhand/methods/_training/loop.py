"""The optimization loop: SGD over shuffled batches of cached rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.sgd import sgd as torch_step

from evenhand._errors import EvenhandError
from evenhand._ranges import BELOW_ONE, COUNT, NOT_NEGATIVE, check
from evenhand.methods._training.order import BlockOrder, batches

FUSED = frozenset({"cpu", "cuda"})
"""Devices on which torch takes a whole step in one pass."""


@dataclass(frozen=True)
class SGD:
    """Settings of stochastic gradient descent.

    Parameters
    ----------
    learning_rate : float
        Step size, at least 0, in coordinates where features and projected rows of a linear projection have
        root-mean-square norm 1. With 0 nothing is trained, which serves as a control.
    epochs : int
        Passes over the rows, at least 1.
    batch_size : int, default=128
        Rows per step, at least 1.
    momentum : float, default=0.9
        As in torch.optim.SGD, at least 0 and below 1.
    weight_decay : float, default=1e-05
        As in torch.optim.SGD, at least 0.

    Raises
    ------
    EvenhandError
        If a value is out of its range.

    Examples
    --------
    >>> from evenhand import SGD
    >>> SGD(learning_rate=0.01, epochs=20)
    SGD(learning_rate=0.01, epochs=20, batch_size=128, momentum=0.9, weight_decay=1e-05)
    """

    learning_rate: float
    epochs: int
    batch_size: int = 128
    momentum: float = 0.9
    weight_decay: float = 1e-5

    def __post_init__(self) -> None:
        check(
            self,
            learning_rate=NOT_NEGATIVE,
            epochs=COUNT,
            batch_size=COUNT,
            momentum=BELOW_ONE,
            weight_decay=NOT_NEGATIVE,
        )


def minimize(
    loss: Callable[[Tensor, int], Tensor],
    parameters: Sequence[Tensor],
    *,
    rows: int,
    sgd: SGD,
    generator: torch.Generator,
    history: list[dict[str, float]],
    stage: int,
    order: BlockOrder | None = None,
    after_epoch: Callable[[int], None] | None = None,
) -> None:
    """Minimize `loss(batch, epoch)` over `parameters` in place.

    Parameters
    ----------
    loss : callable
        Takes int64 row numbers [B] and the epoch (from 0); returns a scalar with a gradient.
    parameters : sequence of Tensor
        Leaves that require a gradient.
    rows : int
        N, the rows to pass over in each epoch.
    sgd : SGD
        Settings.
    generator : torch.Generator
        Shuffles the rows.
    history : list of dict
        Receives one entry per epoch: `stage`, `epoch` (from 1) and `loss`, the mean over rows.
    stage : int
        Stage in the history.
    order : BlockOrder or None, default=None
        Order of the rows in an epoch; None shuffles all rows together.
    after_epoch : callable or None, default=None
        Called after each epoch with the number of finished epochs.

    Raises
    ------
    EvenhandError
        If the loss or a parameter is not finite after an epoch.
    """
    velocity = [torch.zeros_like(parameter) for parameter in parameters]
    for epoch in range(sgd.epochs):
        total = torch.zeros(())
        for batch in batches(rows, sgd.batch_size, generator, order):
            value = loss(batch, epoch)
            # A loss on embeddings alone has no gradient in s, which then does not change.
            gradients = torch.autograd.grad(value, parameters, allow_unused=True)
            descend(parameters, gradients, velocity, sgd)
            total += value.detach() * len(batch)
        _check_finite(total, parameters, epoch, sgd)
        history.append({"stage": stage, "epoch": epoch + 1, "loss": float(total) / rows})
        if after_epoch is not None:
            after_epoch(epoch + 1)


def _check_finite(total: Tensor, parameters: Sequence[Tensor], epoch: int, sgd: SGD) -> None:
    if not all(bool(torch.isfinite(value).all()) for value in (total, *parameters)):
        raise EvenhandError(
            f"learning_rate {sgd.learning_rate:g} is too large: training diverged in epoch {epoch + 1}, to "
            "numbers that are not finite; give a smaller one"
        )


@torch.no_grad()
def descend(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor | None], velocity: Sequence[Tensor], sgd: SGD
) -> None:
    """Take one step in place: v ← momentum · v + g + weight_decay · w, then w ← w − learning_rate · v.

    The velocities start at zero. Creating a torch.optim.SGD imports modules for seconds, longer than many
    fits take. The function behind it imports nothing.
    """
    moving = [(w, g, v) for w, g, v in zip(parameters, gradients, velocity, strict=True) if g is not None]
    torch_step(
        [w for w, _, _ in moving],
        [g for _, g, _ in moving],
        [v for _, _, v in moving],
        # One pass over the memory in place of three.
        fused=all(w.device.type in FUSED for w, _, _ in moving),
        foreach=False,
        lr=sgd.learning_rate,
        momentum=sgd.momentum,
        weight_decay=sgd.weight_decay,
        dampening=0,
        nesterov=False,
        maximize=False,
    )
