"""The training rows of a fit before any of them is held out, and the parts that are taken from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Floats, Ints
from evenhand.data.splits import Units
from evenhand.functional.dealt_folds import dealt_folds
from evenhand.functional.row_products import RowSource
from evenhand.functional.within_class import mean_margins
from evenhand.methods._training.folds import folds_of_rows
from evenhand.methods._training.problem import Problem
from evenhand.methods.auto.part import Part
from evenhand.methods.auto.projected import ProjectedRows, in_memory, unit_rows

BLOCK = 8192


@dataclass(frozen=True)
class Rows:
    """Training rows before any of them is held out.

    Attributes
    ----------
    projected : RowSource
        h W0 + b0 [N, D]; centered on all rows if there is no text.
    y : int64 [N]
        Class codes.
    prototypes : float32 [C, D]
        Text, or the class centroids of all rows.
    has_text : bool
        Whether the prototypes are text.
    seed : int
        Seed of the random streams.
    device : str
        Where products with the rows are made.
    units : int64 [N] or None
        Rows with the same number are held out together.
    """

    projected: RowSource
    y: Ints
    prototypes: Floats
    has_text: bool
    seed: int
    device: str = "cpu"
    units: Ints | None = None

    @classmethod
    def of(cls, problem: Problem) -> Rows:
        """Return the training rows of a problem, projected."""
        return cls(
            in_memory(ProjectedRows(problem.start.projection, problem.h)),
            problem.y.numpy(),
            problem.prototypes.numpy(),
            problem.has_text,
            problem.seed,
            problem.h.device,
            problem.units,
        )

    def part(self, rows: Ints, *name: str | int, centered: bool = False) -> Part:
        """Return a training part; `name` is the name of the random stream that samples it."""
        stream = numpy_stream(self.seed, "sample", *name)
        return Part.of(
            self.projected,
            self.y,
            rows,
            self.prototypes,
            stream,
            has_text=self.has_text,
            centered=centered,
            device=self.device,
        )

    def whole(self) -> Part:
        """Return all rows as a part."""
        return self.part(np.arange(len(self.y)), "all", centered=True)

    def folds(self, k: int, repeats: int) -> list[Ints]:
        """Return the fold of every row in each repeat, dealt by the mean margin of its unit."""
        dealt = Units.of(self.y, self.units)
        key = np.bincount(dealt.of_row, self.zero_shot_margins()) / dealt.sizes
        streams = [numpy_stream(self.seed, "folds", repeat) for repeat in range(repeats)]
        folds = [folds_of_rows(self.y, dealt, dealt_folds(dealt.y, key, k, stream)) for stream in streams]
        always = np.min(folds, axis=0) < 0  # trains in some repeat, so in all
        return [np.where(always, -1, found) for found in folds]

    def zero_shot_margins(self) -> Floats:
        """Return `mean_margins` of the prototypes, [N]."""
        found = [
            mean_margins(
                unit_rows(self.projected[start : start + BLOCK]) @ self.prototypes.T,
                self.y[start : start + BLOCK],
            )
            for start in range(0, len(self.y), BLOCK)
        ]
        return np.concatenate(found)
