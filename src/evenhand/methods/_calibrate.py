"""Stage 3: calibrate the projection on the calibration set, one candidate state an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import cos, pi

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, dropout

from evenhand._random import torch_stream
from evenhand.calibration.draws import Draw, Pools, RandomNegatives, RandomPositives
from evenhand.calibration.sets import CalibrationSet
from evenhand.functional.contrastive import calibration_loss, similarity_loss
from evenhand.functional.geometry import cosine_logits
from evenhand.methods._loop import SGD, minimise
from evenhand.methods._problem import Problem
from evenhand.methods._state import State


@dataclass(frozen=True)
class Recipe:
    """The terms of the calibration loss and how it is minimised.

    total = a(e) · (anchor_weight · L_cls(anchors) + calibration_weight · L_cal)
            + all_weight · L_cls(batch) + similarity_weight · L_cs(batch),
    a(e) = 1 + schedule · cos(2π e / E).

    Attributes
    ----------
    sgd : SGD
        Step, epochs, batch.
    temperature : float
        τ of L_cal.
    anchor_weight, all_weight, calibration_weight, similarity_weight : float
        Weights of cross-entropy on anchors, on all rows, of L_cal and of L_cs.
    schedule : float
        Amplitude of a(e); 0.5 in the published code.
    dropout : float
        On z, for anchors and cross-entropy.
    positives, negatives : Draw
        How the rows to contrast with are drawn.
    """

    sgd: SGD
    temperature: float
    anchor_weight: float
    all_weight: float
    calibration_weight: float
    similarity_weight: float
    schedule: float = 0.0
    dropout: float = 0.0
    positives: Draw = field(default_factory=RandomPositives)
    negatives: Draw = field(default_factory=RandomNegatives)


PAPER = Recipe(
    SGD(learning_rate=1e-4, epochs=100),
    temperature=1.0,
    anchor_weight=1.0,
    all_weight=0.0,
    calibration_weight=1.0,
    similarity_weight=1.0,
    schedule=0.5,
    dropout=0.1,
)
"""The paper's terms with its published settings (method notes, §3)."""

STABLE = Recipe(
    SGD(learning_rate=3e-4, epochs=30),
    temperature=0.1,
    anchor_weight=0.0,
    all_weight=1.0,
    calibration_weight=2.0,
    similarity_weight=0.0,
)
"""Cross-entropy on all rows holds what ERM knows; calibration moves the errors (method notes, §8)."""


def calibrate(
    problem: Problem, start: State, chosen: CalibrationSet, recipe: Recipe, history: list[dict[str, float]]
) -> list[State]:
    """Return the state after each epoch, trained from `start`."""
    state = start.leaves()
    generator = torch_stream(problem.seed, "calibration")
    anchors = _cycled(chosen.anchors, recipe.sgd.batch_size, generator)
    by_class = Pools([(problem.y == code).nonzero().flatten() for code in range(problem.n_classes)])
    correct = Pools(chosen.positives)
    states: list[State] = []

    def loss(batch: Tensor, epoch: int) -> Tensor:
        a = next(anchors)
        classes, position = torch.unique(problem.y[a], return_inverse=True)
        p = recipe.positives(correct, classes, generator)
        n = recipe.negatives(by_class, classes, generator)
        rows = torch.cat([a, p.flatten(), n.flatten(), batch])
        z = state.embed(problem.h[rows])
        z_a, z_p, z_n, z_b = torch.split(z, [len(a), p.numel(), n.numel(), len(batch)])
        z_a = dropout(z_a, recipe.dropout)
        z_p, z_n = z_p.view(*p.shape, -1), z_n.view(*n.shape, -1)
        scale = state.log_scale.exp()
        total = recipe.calibration_weight * calibration_loss(
            z_a, z_p[position], z_n[position], recipe.temperature
        )
        if recipe.anchor_weight:
            logits = cosine_logits(z_a, problem.prototypes, scale)
            total = total + recipe.anchor_weight * cross_entropy(logits, problem.y[a])
        total = total * (1 + recipe.schedule * cos(2 * pi * epoch / recipe.sgd.epochs))
        if recipe.all_weight:
            logits = cosine_logits(dropout(z_b, recipe.dropout), problem.prototypes, scale)
            total = total + recipe.all_weight * cross_entropy(logits, problem.y[batch])
        if recipe.similarity_weight:
            total = total + recipe.similarity_weight * similarity_loss(z_b, problem.y[batch])
        return total

    def after_epoch(epoch: int, mean_loss: float) -> None:
        history.append({"stage": 3, "epoch": epoch, "loss": mean_loss})
        states.append(state.frozen())

    minimise(
        loss,
        state.parameters(),
        rows=len(problem.y),
        sgd=recipe.sgd,
        generator=torch_stream(problem.seed, "calibration", "batches"),
        after_epoch=after_epoch,
    )
    return states


def _cycled(rows: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield `size` of `rows` at a time, for ever; every row once before any comes again."""
    queue = rows[:0]
    while True:
        while len(queue) < size:
            queue = torch.cat([queue, rows[torch.randperm(len(rows), generator=generator)]])
        yield queue[:size]
        queue = queue[size:]
