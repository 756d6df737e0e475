"""The candidates that `auto` compares: zero-shot, ERM by penalty, balanced heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenhand._typing import Floats
from evenhand.functional.weighted_head import (
    HeadFrame,
    calibrated_scale,
    fit_heads,
    head_as_projection,
)
from evenhand.methods.auto.part import Part

SCALED = 20_000_000
"""Most logits that the scale of zero-shot is fitted on."""


@dataclass(frozen=True)
class FittedHead:
    """α and G in a frame.

    Attributes
    ----------
    frame, alpha, g
        As in `functional.weighted_head`.
    prototypes : float [C, D]
        Prototypes of its part.
    anchored : bool
        Whether the frame is that of the prototypes; otherwise it is that of a simplex.
    """

    frame: HeadFrame
    alpha: float
    g: Floats
    prototypes: Floats
    anchored: bool

    def head(self) -> Floats:
        """Return the coefficients of z, float32 [D, C]."""
        out: Floats = self.frame.head(self.alpha, self.g).astype(np.float32)
        return out

    def projection(self) -> Floats:
        """Return M [D, D], with which unit(z M)·t_c ranks the classes as the head does."""
        if self.anchored:
            return self.frame.projection(self.alpha, self.g)
        return head_as_projection(self.frame.head(self.alpha, self.g), self.prototypes)


def erm_heads(part: Part, penalties: Sequence[float], *, has_text: bool) -> list[FittedHead]:
    """Return ERM for each penalty; the penalties are given times the number of rows."""
    return head_path(part, part.weights, [c / len(part.y) for c in penalties], anchored=has_text)


def balanced_heads(
    part: Part, weights: Floats, penalties: Sequence[float], *, has_text: bool
) -> list[FittedHead]:
    """Return the heads for each penalty, given times the number of rows, with weights [N] of all rows."""
    own = weights[part.numbers] * part.weights
    return head_path(part, own, [c / len(part.y) for c in penalties], anchored=has_text)


def refit(fitted: FittedHead, rows: Part, weights: Floats, c: float, *, has_text: bool) -> FittedHead:
    """Refit the head of a sample on all rows [N] with their weights, starting from its coefficients."""
    return head_path(rows, weights, [c / len(rows.y)], anchored=has_text, start=fitted.g)[0]


def head_path(
    part: Part,
    weights: Floats,
    penalties: Sequence[float],
    *,
    anchored: bool,
    start: Floats | None = None,
) -> list[FittedHead]:
    """Return the heads of weighted rows for each penalty, in the frame of the prototypes if `anchored`."""
    n_classes, width = part.prototypes.shape
    # With more classes than dimensions there is no simplex; the class centroids replace it.
    framed = anchored or n_classes > width
    frame = HeadFrame.of(part.z, part.prototypes if framed else np.eye(n_classes, width))
    alpha = _scale(part, frame) if anchored else 0.0
    found = fit_heads(part.z, part.y, weights, frame, alpha, penalties, start=start, device=part.device)
    return [FittedHead(frame, alpha, g, part.prototypes, framed) for g in found]


def _scale(part: Part, frame: HeadFrame) -> float:
    """Return α of the part, from a sample of its rows if there are too many logits."""
    step = max(1, len(part.y) * len(part.prototypes) // SCALED)
    # All rows are read block by block; a slice of all of them would be a copy in memory.
    z = part.z if step == 1 else part.z[::step]
    return calibrated_scale(z, part.y[::step], part.balanced()[::step], frame)
