"""The one optimization loop: shuffled batches of cached rows, SGD, an observer after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand._ranges import BELOW_ONE, COUNT, NOT_NEGATIVE, check
from evenhand.methods._training.order import BlockOrder, batches


@dataclass(frozen=True)
class SGD:
    """How a loss is minimized.

    Attributes
    ----------
    learning_rate : float
        Step, in the unit coordinates of `methods._coordinates`; 0 stays where it starts, as a control.
    epochs : int
        Passes over the rows.
    batch_size : int
        Rows per step.
    momentum, weight_decay : float
        As in torch.optim.SGD; the published values by default.
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
        Step, epochs, batch size, momentum, weight decay.
    generator : torch.Generator
        Shuffles the rows.
    history : list of dict
        Gets an entry per epoch: `stage`, `epoch` (from 1) and `loss`, the mean over rows.
    stage : int
        Named in the history.
    order : BlockOrder, optional
        How an epoch passes over the rows; all rows are shuffled together by default.
    after_epoch : callable, optional
        Takes the number of epochs done.

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
            # A loss of embeddings alone has no gradient in s, which then stays where it is.
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

    What torch.optim.SGD does from a velocity of zero; its import alone costs seconds, more than many fits.
    """
    for parameter, gradient, v in zip(parameters, gradients, velocity, strict=True):
        if gradient is None:
            continue
        v.mul_(sgd.momentum).add_(gradient).add_(parameter, alpha=sgd.weight_decay)
        parameter.sub_(v, alpha=sgd.learning_rate)
