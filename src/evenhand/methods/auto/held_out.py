"""Predictions of the models of each fold for rows that did not train them; logits are not kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from evenhand._typing import Floats, Ints
from evenhand.functional.one_vs_rest import log_odds
from evenhand.functional.row_products import RowSource
from evenhand.functional.within_class import leads, mean_margins
from evenhand.methods.auto.projected import unit_rows

VALUES = 2**22
"""Logits, and values of projected rows, in memory at a time."""


@dataclass(frozen=True)
class FoldModels:
    """K models of one training part.

    Attributes
    ----------
    center : float32 [D] or None
        Center of the part.
    heads : float32 [D, K, C]
        Coefficients.
    """

    center: Floats | None
    heads: Floats

    @classmethod
    def of(cls, center: Floats | None, heads: Sequence[Floats]) -> FoldModels:
        """Stack K heads [D, C]."""
        return cls(center, np.stack(heads, axis=1))

    def logits(self, x: Floats) -> Floats:
        """Return logits [n, K, C] of projected rows [n, D]."""
        z = unit_rows(x, self.center)
        out: Floats = (z @ self.heads.reshape(len(self.heads), -1)).reshape(len(z), *self.heads.shape[1:])
        return out


@dataclass(frozen=True)
class HeldOut:
    """K models on N rows.

    Attributes
    ----------
    right : float32 [K, N]
        Share of the repeats in which the largest logit is that of the row's class.
    codes : int32 [K, N]
        Class of the largest mean logit over repeats.
    margins : float32 [K, N]
        `mean_margins` of the mean logits.
    leads : float32 [K, N]
        `leads` of the mean logits.
    loss : float [K]
        Mean cross-entropy of the mean logits.
    scores : float32 [K, N, C] or None
        Log odds of the mean logits, if requested.
    """

    right: Floats
    codes: Ints
    margins: Floats
    leads: Floats
    loss: Floats
    scores: Floats | None = None


def held_out(
    projected: RowSource,
    y: Ints,
    folds: Sequence[Ints],
    models: Sequence[Sequence[FoldModels]],
    *,
    scored: bool = False,
) -> HeldOut:
    """Apply to each row the models of its folds, which did not train on it.

    Parameters
    ----------
    projected : RowSource
        Projected rows [N, D].
    y : int64 [N]
        Class codes.
    folds : sequence of R int64 [N]
        Fold of each row in each repeat, −1 for a row that is in none; its figures are then meaningless.
    models : sequence of R sequences of FoldModels
        By repeat and fold.
    scored : bool
        Whether to keep scores.
    """
    _, count, n_classes = models[0][0].heads.shape
    out = HeldOut(
        np.zeros((count, len(y)), dtype=np.float32),
        np.zeros((count, len(y)), dtype=np.int32),
        np.zeros((count, len(y)), dtype=np.float32),
        np.zeros((count, len(y)), dtype=np.float32),
        np.zeros(count),
        np.zeros((count, len(y), n_classes), dtype=np.float32) if scored else None,
    )
    size = max(1, VALUES // max(count * n_classes, projected.shape[1]))
    for start in range(0, len(y), size):
        place = slice(start, start + size)
        x, codes = projected[place], y[place]
        total = np.zeros((len(codes), count, n_classes), dtype=np.float32)
        for fold, parts in zip(folds, models, strict=True):
            logits = _of_repeat(x, fold[place], parts, total.shape)
            out.right[:, place] += (logits.argmax(axis=2) == codes[:, None]).T / np.float32(len(folds))
            total += logits / np.float32(len(folds))
        out.codes[:, place] = total.argmax(axis=2).T
        if out.scores is not None:
            odds = log_odds(total.reshape(-1, n_classes)).reshape(total.shape)
            out.scores[:, place] = odds.transpose(1, 0, 2)
        in_fold = folds[0][place] >= 0
        for k in range(count):
            out.margins[k, place] = mean_margins(total[:, k], codes)
            out.leads[k, place] = leads(total[:, k])
            mine = total[in_fold, k].astype(np.float64)
            own = mine[np.arange(len(mine)), codes[in_fold]]
            out.loss[k] += float((logsumexp(mine, axis=1) - own).sum())
    out.loss[:] /= max(1, int((folds[0] >= 0).sum()))
    return out


def _of_repeat(x: Floats, fold: Ints, parts: Sequence[FoldModels], shape: tuple[int, ...]) -> Floats:
    logits = np.zeros(shape, dtype=np.float32)
    for number, part in enumerate(parts):
        rows = np.flatnonzero(fold == number)
        if len(rows):
            logits[rows] = part.logits(x[rows])
    return logits
