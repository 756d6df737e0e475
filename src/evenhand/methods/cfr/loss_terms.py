"""The terms of the calibration loss, each with its weight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from evenhand._ranges import BELOW_ONE, NOT_NEGATIVE, POSITIVE, check
from evenhand.functional.contrastive import calibration_loss_of_similarities, similarity_loss
from evenhand.functional.geometry import cosine_logits
from evenhand.functional.simplex import simplex_vertices
from evenhand.functional.targeted import Targeted, TargetedMemory, update_centroids


@dataclass(frozen=True)
class Step:
    """The embeddings of one step of calibration.

    Attributes
    ----------
    anchors, anchors_y : Tensor [A, D], int64 Tensor [A]
        Anchors after dropout, and their class codes.
    to_positives, to_negatives : Tensor [A, P], Tensor [A, K]
        Dot products of each anchor with its positives and its negatives.
    batch, batch_y : Tensor [B, D], int64 Tensor [B]
        A batch of all training rows, and their class codes.
    batch_dropped : Tensor [B, D]
        The batch after dropout, for cross-entropy.
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
    """A term of the calibration loss; any object with these attributes will do.

    Attributes
    ----------
    weight : float
        Factor of the term.
    scheduled : bool
        Whether the schedule a(e) of the recipe multiplies the term, too.
    """

    @property
    def weight(self) -> float:
        """Factor of the term."""

    @property
    def scheduled(self) -> bool:
        """Whether the schedule multiplies the term."""

    def begin(self, prototypes: Tensor, seed: int, /) -> Value:
        """Start a fit: return a function from a `Step` to a scalar, without the weight.

        Parameters
        ----------
        prototypes : Tensor [C, D]
            t_c.
        seed : int
            Random seed of the fit.
        """


@dataclass(frozen=True)
class Calibration:
    """The calibration loss of the anchors (see `evenhand.functional.calibration_loss`).

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the term, at least 0.
    temperature : float, default=1.0
        τ, above 0.
    scheduled : bool, default=True
        Whether the schedule of the recipe multiplies the term.
    """

    weight: float = 1.0
    temperature: float = 1.0
    scheduled: bool = True

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE, temperature=POSITIVE)

    def begin(self, _prototypes: Tensor, _seed: int) -> Value:
        """Return the value of the term as a function of a step."""
        return lambda step: calibration_loss_of_similarities(
            step.to_positives, step.to_negatives, self.temperature
        )


@dataclass(frozen=True)
class AnchorCrossEntropy:
    """Cross-entropy of the anchors, −mean_a log softmax(s · z_a · t)_{y_a}.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the term, at least 0.
    scheduled : bool, default=True
        Whether the schedule of the recipe multiplies the term.
    """

    weight: float = 1.0
    scheduled: bool = True

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE)

    def begin(self, _prototypes: Tensor, _seed: int) -> Value:
        """Return the value of the term as a function of a step."""
        return lambda step: cross_entropy(
            cosine_logits(step.anchors, step.prototypes, step.scale), step.anchors_y
        )


@dataclass(frozen=True)
class BatchCrossEntropy:
    """Cross-entropy of a batch of all training rows, which keeps what ERM has learned.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the term, at least 0.
    scheduled : bool, default=False
        Whether the schedule of the recipe multiplies the term.
    balanced : bool, default=False
        True takes the mean over the classes in the batch of each class's mean; False takes the mean over
        rows.
    """

    weight: float = 1.0
    scheduled: bool = False
    balanced: bool = False

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE)

    def begin(self, prototypes: Tensor, _seed: int) -> Value:
        """Return the value of the term as a function of a step."""

        def value(step: Step) -> Tensor:
            logits = cosine_logits(step.batch_dropped, step.prototypes, step.scale)
            shares = class_shares(step.batch_y, len(prototypes)) if self.balanced else None
            return cross_entropy(logits, step.batch_y, weight=shares)

        return value


def class_shares(codes: Tensor, n_classes: int) -> Tensor:
    """Return weights per class [C] that give the classes in codes [B] equal total weight."""
    counts = torch.bincount(codes, minlength=n_classes)
    return torch.where(counts > 0, 1 / counts.clamp(min=1), 0.0)


@dataclass(frozen=True)
class Similarity:
    """The similarity loss of the batch (see `evenhand.functional.similarity_loss`).

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the term, at least 0.
    scheduled : bool, default=False
        Whether the schedule of the recipe multiplies the term.
    """

    weight: float = 1.0
    scheduled: bool = False

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE)

    def begin(self, _prototypes: Tensor, _seed: int) -> Value:
        """Return the value of the term as a function of a step."""
        return lambda step: similarity_loss(step.batch, step.batch_y)


@dataclass(frozen=True)
class CentroidContrast:
    """Contrast each anchor with running class centroids: that of its own class against all others.

        −mean_a log softmax(z_a · μ / τ)_{y_a},  μ_c ← unit(m μ_c + (1 − m) unit(mean of z_i with y_i = c))

    The centroids are those of the batches of all training rows, without a gradient; see
    `evenhand.functional.update_centroids`. A third party's summary describes the contrast of the paper in
    this way. The published code contrasts single rows.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the term, at least 0.
    temperature : float, default=1.0
        τ, above 0.
    momentum : float, default=0.9
        m, at least 0 and below 1.
    scheduled : bool, default=True
        Whether the schedule of the recipe multiplies the term.
    """

    weight: float = 1.0
    temperature: float = 1.0
    momentum: float = 0.9
    scheduled: bool = True

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE, temperature=POSITIVE, momentum=BELOW_ONE)

    def begin(self, prototypes: Tensor, _seed: int) -> Value:
        """Return the value of the term as a function of a step."""
        centroids = torch.zeros_like(prototypes)

        def value(step: Step) -> Tensor:
            centroids.copy_(update_centroids(centroids, step.batch, step.batch_y, self.momentum))
            # A copy, since the backward pass comes after the next change.
            return cross_entropy(step.anchors @ centroids.clone().T / self.temperature, step.anchors_y)

        return value


@dataclass(frozen=True)
class TargetedContrast:
    """The targeted supervised contrastive loss of the batch (see `evenhand.functional.targeted_loss`).

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the term, at least 0.
    settings : Targeted, default=Targeted()
        Queue size, momentum, temperature and weight of the targets.
    scheduled : bool, default=False
        Whether the schedule of the recipe multiplies the term.
    """

    weight: float = 1.0
    settings: Targeted = field(default_factory=Targeted)
    scheduled: bool = False

    def __post_init__(self) -> None:
        check(self, weight=NOT_NEGATIVE)

    def begin(self, prototypes: Tensor, seed: int) -> Value:
        """Return the value of the term as a function of a step."""
        vertices = simplex_vertices(len(prototypes), prototypes.shape[1], seed)
        memory = TargetedMemory(vertices, self.settings, seed)
        return lambda step: memory.step(step.batch, step.batch_y)
