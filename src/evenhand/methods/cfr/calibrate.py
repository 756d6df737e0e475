"""Calibration: train the projection on the calibration set; each epoch leaves a candidate."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, cos, pi

import torch
from torch import Tensor

from evenhand._random import torch_stream
from evenhand.functional.contrastive import draw_similarities
from evenhand.methods._draws.sampling import SamplingPool
from evenhand.methods._training.loop import minimize
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.trained_state import State
from evenhand.methods.cfr.calibration_set import CalibrationSet
from evenhand.methods.cfr.loss_terms import Step
from evenhand.methods.cfr.recipe import Recipe

CANDIDATES = 25
"""Largest number of candidates of one recipe; each holds a copy of the projection."""


def cosine_schedule(epoch: int, epochs: int, amplitude: float) -> float:
    """Return a(e) = 1 + amplitude · cos(2π e / E) at epoch e, from 0, of E."""
    return 1 + amplitude * cos(2 * pi * epoch / epochs)


def calibrate(
    problem: Problem, start: State, chosen: CalibrationSet, recipe: Recipe, history: list[dict[str, float]]
) -> list[tuple[int, State]]:
    """Train from `start` and return the candidates (epoch, state), at most `CANDIDATES` of them."""
    state = start.leaves()
    loss = _Loss(problem, state, chosen, recipe)
    stride = ceil(recipe.sgd.epochs / CANDIDATES)
    candidates: list[tuple[int, State]] = []

    def keep(epoch: int) -> None:
        if epoch % stride == 0 or epoch == recipe.sgd.epochs:
            candidates.append((epoch, state.frozen()))

    minimize(
        loss,
        state.parameters(),
        rows=len(problem.y),
        sgd=recipe.sgd,
        generator=torch_stream(problem.seed, "calibration", "batches"),
        history=history,
        stage=3,
        order=problem.h.order,
        after_epoch=keep,
    )
    return candidates


class _Loss:
    """The calibration loss of one fit, as a function of a batch and the epoch."""

    def __init__(self, problem: Problem, state: State, chosen: CalibrationSet, recipe: Recipe) -> None:
        self._problem, self._state, self._recipe = problem, state, recipe
        self._generator = torch_stream(problem.seed, "calibration")
        anchors = class_balanced(chosen.anchors, problem.y) if recipe.balanced else chosen.anchors
        self._anchors = _cycled(anchors, recipe.sgd.batch_size, self._generator)
        pooled = problem.start.projection.pool
        pool = SamplingPool(
            lambda: torch.cat([pooled(h).cpu() for h in problem.h.all("a search of nearest rows").blocks()]),
            problem.y,
            chosen.anchors,
            chosen.positives,
        )
        self._draw_positives = recipe.positives.sampler(pool)
        self._draw_negatives = recipe.negatives.sampler(pool)
        self._terms = [(term, term.begin(problem.prototypes, problem.seed)) for term in recipe.terms]

    def __call__(self, batch: Tensor, epoch: int) -> Tensor:
        step = self._project(batch)
        schedule = cosine_schedule(epoch, self._recipe.sgd.epochs, self._recipe.schedule)
        total = torch.zeros(())
        for term, value in self._terms:
            total = total + term.weight * (schedule if term.scheduled else 1.0) * value(step)
        return total

    def _project(self, batch: Tensor) -> Step:
        """Draw anchors, positives and negatives, and project every row once."""
        problem = self._problem
        a = next(self._anchors)
        codes = problem.y[a]
        p = self._draw_positives(a, codes, self._generator)
        n = self._draw_negatives(a, codes, self._generator)
        rows = torch.cat([a, p.rows.flatten(), n.rows.flatten(), batch])
        z = self._state.embed(problem.h[rows])
        z_a, z_p, z_n, z_b = torch.split(z, [len(a), p.rows.numel(), n.rows.numel(), len(batch)])
        z_a = self._drop(z_a)
        targets = self._recipe.positives.targets(z_p.view(*p.rows.shape, -1))
        return Step(
            anchors=z_a,
            anchors_y=codes,
            to_positives=draw_similarities(z_a, targets, p.draw),
            to_negatives=draw_similarities(z_a, z_n.view(*n.rows.shape, -1), n.draw),
            batch=z_b,
            batch_y=problem.y[batch],
            batch_dropped=self._drop(z_b),
            prototypes=problem.prototypes,
            scale=self._state.log_scale.exp(),
        )

    def _drop(self, z: Tensor) -> Tensor:
        """Apply dropout from the fit's own random stream; torch's function uses the global one."""
        share = self._recipe.dropout
        if not share:
            return z
        # The mask has the type of z: a product with booleans would convert it, forward and backward.
        kept = torch.rand(z.shape, generator=self._generator).ge_(share)
        return z * kept.div_(1 - share)


def class_balanced(rows: Tensor, y: Tensor) -> Tensor:
    """Repeat the rows of every class until all classes have equally many.

    Parameters
    ----------
    rows : int64 Tensor [A]
        Row numbers, at least one.
    y : int64 Tensor [N]
        Class codes of all rows.
    """
    by_class = torch.split(rows[y[rows].argsort(stable=True)], torch.bincount(y[rows]).tolist())
    size = max(map(len, by_class))
    return torch.cat([own[torch.arange(size) % len(own)] for own in by_class if len(own)])


def _cycled(rows: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield `size` rows at a time without end, in shuffles of all rows."""
    queue = rows[:0]
    while True:
        while len(queue) < size:
            queue = torch.cat([queue, rows[torch.randperm(len(rows), generator=generator)]])
        yield queue[:size]
        queue = queue[size:]
