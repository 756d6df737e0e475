"""Parts of CFR that lose in the ablation, and controls: they serve `ablation.py` alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from evenhand._random import torch_stream
from evenhand.functional import unit
from evenhand.methods import CalibrationSet, DrawnRows, Misclassified
from evenhand.methods._draws.sampling import Drawn, RowsByClass, Sampler, SamplingPool, shared
from evenhand.methods.cfr.calibration_set import margins


@dataclass(frozen=True)
class LowMargin:
    """Anchors: the share of rows of lowest margin, classified correctly or not."""

    share: float = 0.1

    def __call__(self, logits: Tensor, y: Tensor) -> CalibrationSet:
        """Choose from reference logits [N, C] and codes y [N]."""
        return _chosen(margins(logits, y).argsort(stable=True), self.share, logits, y)


@dataclass(frozen=True)
class Uniform:
    """Anchors: a share of rows drawn blindly. What calibration does without a rule."""

    share: float = 0.1
    seed: int = 0

    def __call__(self, logits: Tensor, y: Tensor) -> CalibrationSet:
        """Choose from reference logits [N, C] and codes y [N]."""
        order = torch.randperm(len(y), generator=torch_stream(self.seed, "calibration-set"))
        return _chosen(order, self.share, logits, y)


def _chosen(order: Tensor, share: float, logits: Tensor, y: Tensor) -> CalibrationSet:
    """Take the first rows of an order as anchors; positives are correct rows that are not among them."""
    anchors = order[: max(1, round(share * len(y)))].sort().values
    found = Misclassified()(logits, y)
    right = logits.argmax(dim=1) == y
    right[anchors] = False
    positives = tuple(
        rows if len(rows := ((y == code) & right).nonzero().flatten()) else found.positives[code]
        for code in range(logits.shape[1])
    )
    return replace(found, anchors=anchors, positives=positives, notes=())


@dataclass(frozen=True)
class OwnClass:
    """Negatives as the published code leaves them: k random rows of the anchor's own class."""

    k: int = 16

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return what draws the negatives of one fit."""
        rows = RowsByClass.of_codes(pool.y, len(pool.positives))
        return shared(lambda classes, generator: rows.inside(classes, self.k, generator))


@dataclass(frozen=True)
class PositivesPerAnchor(DrawnRows):
    """`DrawnRows` with a draw of its own for each anchor."""

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return what draws the positives of one fit."""
        rows = RowsByClass(pool.positives)
        return _per_anchor(lambda classes, generator: rows.inside(classes, self.k, generator))


@dataclass(frozen=True)
class NegativesPerAnchor:
    """`RandomNegatives` with a draw of its own for each anchor."""

    k: int = 16

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return what draws the negatives of one fit."""
        rows = RowsByClass.of_codes(pool.y, len(pool.positives))
        return _per_anchor(lambda classes, generator: rows.outside(classes, self.k, generator))


def _per_anchor(rows: Callable[[Tensor, torch.Generator], Tensor]) -> Sampler:
    return lambda _anchors, classes, generator: Drawn(rows(classes, generator), None)


@dataclass
class RunningCentroid:
    """One positive per class: a moving average over steps of the mean of k drawn rows.

    μ_c ← unit(m · μ_c + (1 − m) · mean z); the first step of a class sets μ_c to its mean. The gradient flows
    through the rows of the step, not through the past.
    """

    k: int = 16
    momentum: float = 0.9
    _classes: Tensor = field(default_factory=lambda: torch.empty(0), repr=False)
    _past: dict[int, Tensor] = field(default_factory=dict, repr=False)

    def sampler(self, pool: SamplingPool) -> Sampler:
        """Return what draws the positives of one fit, which starts anew."""
        rows = RowsByClass(pool.positives)
        self._past = {}

        def draw(classes: Tensor, generator: torch.Generator) -> Tensor:
            self._classes = classes
            return rows.inside(classes, self.k, generator)

        return shared(draw)

    def targets(self, z: Tensor) -> Tensor:
        """Return the classes' moving averages, [R, 1, D]."""
        now = []
        for code, mean in zip(self._classes.tolist(), z.mean(dim=1), strict=True):
            past = self._past.get(code)
            now.append(unit(mean if past is None else self.momentum * past + (1 - self.momentum) * mean))
            self._past[code] = now[-1].detach()
        return torch.stack(now)[:, None]
