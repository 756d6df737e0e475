"""Stage 3: calibrate the projection on the calibration set, one candidate state an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import ceil, cos, pi

import torch
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand._random import torch_stream
from evenhand._ranges import BELOW_ONE, SHARE, check
from evenhand.backbones.projection import LinearProjection
from evenhand.functional.contrastive import draw_similarities
from evenhand.methods._draws.calibration_set import CalibrationSet
from evenhand.methods._draws.negatives import NearestNegatives, NegativeRule, RandomNegatives
from evenhand.methods._draws.pools import SamplingPool
from evenhand.methods._draws.positives import Centroid, DrawnRows, PositiveRule
from evenhand.methods._training.loop import SGD, minimise
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.state import State
from evenhand.methods.cfr.loss_terms import (
    AnchorCrossEntropy,
    BatchCrossEntropy,
    Calibration,
    Similarity,
    Step,
    TargetedContrast,
    Term,
)


@dataclass(frozen=True)
class Recipe:
    """The terms of the calibration loss and how it is minimised.

    total = Σ_t weight_t · L_t · (a(e) if scheduled_t),  a(e) = 1 + schedule · cos(2π e / E).

    Attributes
    ----------
    terms : tuple of Term
        What is added up.
    sgd : SGD
        Step, epochs, batch.
    positives, negatives : PositiveRule, NegativeRule
        What anchors are drawn against.
    schedule : float
        Amplitude of a(e); 0.5 in the published code.
    dropout : float
        On z of anchors, and of the batch in cross-entropy.
    balanced : bool
        Whether every class has as many anchors a round as the class with most; else each anchor comes once.
    """

    terms: tuple[Term, ...]
    sgd: SGD
    positives: PositiveRule = field(default_factory=DrawnRows)
    negatives: NegativeRule = field(default_factory=RandomNegatives)
    schedule: float = 0.0
    dropout: float = 0.0
    balanced: bool = False

    def __post_init__(self) -> None:
        check(self, schedule=SHARE, dropout=BELOW_ONE)
        if not self.terms:
            raise EvenhandError("terms must hold at least one term of the loss, but there is none")


CANDIDATES = 25
"""States kept of a run at most: each is a copy of the projection."""

PAPER = Recipe(
    (AnchorCrossEntropy(), Calibration(), Similarity()),
    SGD(learning_rate=1e-4, epochs=100),
    schedule=0.5,
    dropout=0.1,
)
"""The paper's terms with its published settings (method notes, §3)."""

PAPER_CODE = replace(PAPER, terms=(AnchorCrossEntropy(), Calibration(), TargetedContrast()))
"""The same with the targeted loss that the published code trains in place of the similarity term."""

STABLE = Recipe(
    (Calibration(2.0, temperature=0.1), BatchCrossEntropy(balanced=True)),
    SGD(learning_rate=6e-4, epochs=15),
    balanced=True,
)
"""Cross-entropy on all rows holds what ERM knows; calibration moves the errors; classes count alike.

The terms of method notes §8 at twice the step and half the epochs.
"""


NEAREST = replace(STABLE, positives=Centroid(), negatives=NearestNegatives())
"""Steadier to be pulled to, nearer to be pushed from: better on some sets, worse on others, and dearer."""

GRID = tuple(
    replace(STABLE, sgd=replace(STABLE.sgd, learning_rate=rate))
    for rate in (2e-4, STABLE.sgd.learning_rate, 2e-3)
)
"""A small grid of steps: all their epochs are candidates of one choice, whose bound pays for their number."""


def default_recipe(problem: Problem) -> Recipe:
    """Return `STABLE`, at the published step where a whole attention pool is trained."""
    if isinstance(problem.start.projection, LinearProjection):
        return STABLE
    return replace(STABLE, sgd=replace(STABLE.sgd, learning_rate=1e-4))


def cosine_schedule(epoch: int, epochs: int, amplitude: float) -> float:
    """Return a(e) = 1 + amplitude · cos(2π e / E) at epoch e, from 0, of E."""
    return 1 + amplitude * cos(2 * pi * epoch / epochs)


def calibrate(
    problem: Problem, start: State, chosen: CalibrationSet, recipe: Recipe, history: list[dict[str, float]]
) -> list[tuple[int, State]]:
    """Return candidates (epoch, state), trained from `start`: of every epoch, or `CANDIDATES` of them."""
    state = start.leaves()
    loss = _Loss(problem, state, chosen, recipe)
    stride = ceil(recipe.sgd.epochs / CANDIDATES)
    candidates: list[tuple[int, State]] = []

    def after_epoch(epoch: int, mean_loss: float) -> None:
        history.append({"stage": 3, "epoch": epoch, "loss": mean_loss})
        if epoch % stride == 0 or epoch == recipe.sgd.epochs:
            candidates.append((epoch, state.frozen()))

    minimise(
        loss,
        state.parameters(),
        rows=len(problem.y),
        sgd=recipe.sgd,
        generator=torch_stream(problem.seed, "calibration", "batches"),
        after_epoch=after_epoch,
        order=problem.h.order,
    )
    return candidates


class _Loss:
    """The calibration loss of one fit, as a function of a batch and the epoch."""

    def __init__(self, problem: Problem, state: State, chosen: CalibrationSet, recipe: Recipe) -> None:
        self._problem, self._state, self._recipe = problem, state, recipe
        self._generator = torch_stream(problem.seed, "calibration")
        anchors = class_balanced(chosen.anchors, problem.y) if recipe.balanced else chosen.anchors
        self._anchors = _cycled(anchors, recipe.sgd.batch_size, self._generator)
        pool = problem.start.projection.pool
        ground = SamplingPool(
            lambda: torch.cat([pool(h) for h in problem.h.all("a search of nearest rows").blocks()]),
            problem.y,
            chosen,
            problem.n_classes,
        )
        self._positives = recipe.positives.begin(ground)
        self._negatives = recipe.negatives.begin(ground)
        self._terms = [(term, term.begin(problem.prototypes, problem.seed)) for term in recipe.terms]

    def __call__(self, batch: Tensor, epoch: int) -> Tensor:
        step = self._project(batch)
        schedule = cosine_schedule(epoch, self._recipe.sgd.epochs, self._recipe.schedule)
        total = torch.zeros(())
        for term, value in self._terms:
            total = total + term.weight * (schedule if term.scheduled else 1.0) * value(step)
        return total

    def _project(self, batch: Tensor) -> Step:
        """Draw anchors and what they are contrasted with, and project every row once."""
        problem = self._problem
        a = next(self._anchors)
        codes = problem.y[a]
        p = self._positives.draw(codes, self._generator)
        n = self._negatives.draw(a, codes, self._generator)
        rows = torch.cat([a, p.rows.flatten(), n.rows.flatten(), batch])
        z = self._state.embed(problem.h[rows])
        z_a, z_p, z_n, z_b = torch.split(z, [len(a), p.rows.numel(), n.rows.numel(), len(batch)])
        z_a = self._drop(z_a)
        targets = self._positives.targets(z_p.view(*p.rows.shape, -1), p)
        return Step(
            anchors=z_a,
            anchors_y=codes,
            to_positives=draw_similarities(z_a, targets, p.line),
            to_negatives=draw_similarities(z_a, z_n.view(*n.rows.shape, -1), n.line),
            batch=z_b,
            batch_y=problem.y[batch],
            batch_dropped=self._drop(z_b),
            prototypes=problem.prototypes,
            scale=self._state.log_scale.exp(),
        )

    def _drop(self, z: Tensor) -> Tensor:
        """Dropout by the fit's own stream; torch's function would draw from the global one."""
        share = self._recipe.dropout
        if not share:
            return z
        kept = torch.rand(z.shape, generator=self._generator) >= share
        return z * kept / (1 - share)


def class_balanced(rows: Tensor, y: Tensor) -> Tensor:
    """Return `rows` with those of every class repeated until it has as many as the class with most.

    Parameters
    ----------
    rows : int64 Tensor [A]
        Row numbers, at least one.
    y : int64 Tensor [N]
        Codes of all rows.
    """
    by_class = torch.split(rows[y[rows].argsort(stable=True)], torch.bincount(y[rows]).tolist())
    size = max(map(len, by_class))
    return torch.cat([own[torch.arange(size) % len(own)] for own in by_class if len(own)])


def _cycled(rows: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield `size` of `rows` at a time, for ever; every row once before any comes again."""
    queue = rows[:0]
    while True:
        while len(queue) < size:
            queue = torch.cat([queue, rows[torch.randperm(len(rows), generator=generator)]])
        yield queue[:size]
        queue = queue[size:]
