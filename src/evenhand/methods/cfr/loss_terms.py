"""The terms of the loss that calibration minimizes, each with its weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand._ranges import NOT_NEGATIVE, POSITIVE, check
from evenhand.functional.contrastive import calibration_loss_of_similarities, similarity_loss
from evenhand.functional.geometry import cosine_logits
from evenhand.functional.simplex import simplex_vertices
from evenhand.functional.targeted import Targeted, TargetedMemory


@dataclass(frozen=True)
class Step:
    """What one step of calibration has projected.

    Attributes
    ----------
    anchors, anchors_y : Tensor [A, D], int64 Tensor [A]
        Anchors after dropout, with their codes.
    to_positives, to_negatives : Tensor [A, P], Tensor [A, K]
        Dot products with the anchors' positives and negatives.
    batch, batch_y : Tensor [B, D], int64 Tensor [B]
        The batch of all rows.
    batch_dropped : Tensor [B, D]
        The same after dropout, for cross-entropy.
    prototypes : Tensor [C, D]
        t_c.
    scale : Tensor []
        s.
    """

    anchors: Tensor
    anchors_y: Tensor
    to_positives: Tensor
    to_negatives: Tensor
    batch: Tensor
    batch_y: Tensor
    batch_dropped: Tensor
    prototypes: Tensor
    scale: Tensor


Value: TypeAlias = Callable[[Step], Tensor]


class Term(Protocol):
    """One term of the loss.

    Attributes
    ----------
    weight : float
        Its factor.
    scheduled : bool
        Whether a(e) multiplies it.
    """

    @property
    def weight(self) -> float:
        """Its factor."""

    @property
    def scheduled(self) -> bool:
        """Whether a(e) multiplies it."""

    def begin(self, prototypes: Tensor, seed: int, /) -> Value:
        """Return the term of one fit: a scalar of a step, before the weight."""


@dataclass(frozen=True)
class Calibration:
    """L_cal (see `calibration_loss`).

    Attributes
    ----------
    weight, temperature : float
        Factor and τ.
    """

    weight: float = 1.0
    temperature: float = 1.0
    scheduled: bool = True

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE, temperature=POSITIVE)

    def begin(self, _prototypes: Tensor, _seed: int) -> Value:
        """Return the term of one fit."""
        return lambda step: calibration_loss_of_similarities(
            step.to_positives, step.to_negatives, self.temperature
        )


@dataclass(frozen=True)
class AnchorCrossEntropy:
    """L_cls: cross-entropy of the anchors' logits."""

    weight: float = 1.0
    scheduled: bool = True

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE)

    def begin(self, _prototypes: Tensor, _seed: int) -> Value:
        """Return the term of one fit."""
        return lambda step: cross_entropy(
            cosine_logits(step.anchors, step.prototypes, step.scale), step.anchors_y
        )


@dataclass(frozen=True)
class BatchCrossEntropy:
    """Cross-entropy of the logits of the batch of all rows, which holds what ERM knows.

    Attributes
    ----------
    weight : float
        Its factor.
    balanced : bool
        Whether it is the mean over the batch's classes of a class's mean, not the mean over rows.
    """

    weight: float = 1.0
    scheduled: bool = False
    balanced: bool = False

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE)

    def begin(self, prototypes: Tensor, _seed: int) -> Value:
        """Return the term of one fit."""

        def value(step: Step) -> Tensor:
            logits = cosine_logits(step.batch_dropped, step.prototypes, step.scale)
            shares = class_shares(step.batch_y, len(prototypes)) if self.balanced else None
            return cross_entropy(logits, step.batch_y, weight=shares)

        return value


def class_shares(codes: Tensor, n_classes: int) -> Tensor:
    """Return the weight of a row of each class [C] that makes the classes of codes [B] count alike."""
    counts = torch.bincount(codes, minlength=n_classes)
    return torch.where(counts > 0, 1 / counts.clamp(min=1), 0.0)


@dataclass(frozen=True)
class Similarity:
    """L_cs over the batch (see `similarity_loss`)."""

    weight: float = 1.0
    scheduled: bool = False

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE)

    def begin(self, _prototypes: Tensor, _seed: int) -> Value:
        """Return the term of one fit."""
        return lambda step: similarity_loss(step.batch, step.batch_y)


@dataclass(frozen=True)
class TargetedContrast:
    """The targeted supervised contrastive loss over the batch (see `targeted_loss`).

    Attributes
    ----------
    weight : float
        Its factor.
    settings : Targeted
        Queue, momentum, temperature, weight of the targets.
    """

    weight: float = 1.0
    settings: Targeted = field(default_factory=Targeted)
    scheduled: bool = False

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE)

    def begin(self, prototypes: Tensor, seed: int) -> Value:
        """Return the term of one fit, with an empty queue."""
        memory = TargetedMemory(simplex_vertices(len(prototypes), prototypes.shape[1], seed), self.settings)
        return lambda step: memory.step(step.batch, step.batch_y)
