"""Cross-fit the models: read the hidden minority, and score each candidate on rows that did not train it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Bools, Floats, Ints
from evenhand.functional.cell_rates import balancing_weights
from evenhand.methods.auto.candidates import balanced_heads, erm_heads
from evenhand.methods.auto.held_out import FoldModels, HeldOut, held_out
from evenhand.methods.auto.part import Part
from evenhand.methods.auto.penalties import Grid
from evenhand.methods.auto.rows import Rows
from evenhand.methods.auto.shortcut_probe import probe_head
from evenhand.selection.shortcut_signs import CrossFits, ShortcutSigns, find_signs

REPEATED = 400_000
"""Most rows × classes for which a cross-fit is repeated; above it, chance in the folds hardly matters."""


@dataclass(frozen=True)
class ReferenceFits:
    """Results of cross-fitting the reference models.

    Attributes
    ----------
    dealt : list of int64 [N]
        Fold of each row in each repeat, −1 for a row that is alone in its class.
    tested : bool [N]
        Rows that are held out; the only row of a class never is.
    erm : int
        Index, among the candidates, of the ERM whose penalty has the lowest cross-entropy.
    held : HeldOut
        Zero-shot, each ERM and the probe on rows that they were not trained on.
    seen : CrossFits
        Predictions and margins on the held-out rows.
    signs : ShortcutSigns
        The signs in these rows.
    """

    dealt: list[Ints]
    tested: Bools
    erm: int
    held: HeldOut
    seen: CrossFits
    signs: ShortcutSigns


@dataclass(frozen=True)
class CrossFitted:
    """Results of cross-fitting all candidates.

    Attributes
    ----------
    tested : bool [N]
        As in `ReferenceFits`.
    erm : int
        Index, among the candidates, of the ERM whose penalty has the lowest cross-entropy.
    right : float32 [K, M]
        Share of the repeats in which a candidate classifies a held-out row correctly.
    seen : CrossFits
        Predictions and margins on the held-out rows.
    signs : ShortcutSigns
        The signs in these rows.
    weights : float [N]
        Weights of all rows in the balanced heads.
    scores : float32 [K, M, C] or None
        Log odds of the candidates on the held-out rows, if requested.
    """

    tested: Bools
    erm: int
    right: Floats
    seen: CrossFits
    signs: ShortcutSigns
    weights: Floats
    scores: Floats | None = None


def usual_repeats(n: int) -> int:
    """Return how often n rows are cross-fitted by default: 6,000 / n times, at least 2 and at most 8.

    Examples
    --------
    >>> usual_repeats(312), usual_repeats(1500), usual_repeats(100_000)
    (8, 4, 2)
    """
    return min(8, max(2, round(6000 / n)))


def cross_fit_references(
    rows: Rows, grid: Grid, folds: int, repeats: int, *, scored: bool = False
) -> ReferenceFits:
    """Cross-fit zero-shot, ERM and the shortcut probe, and read the hidden minority.

    Raises
    ------
    EvenhandError
        If no class has two rows.
    """
    repeats = repeats if len(rows.y) * len(rows.prototypes) <= REPEATED else 1
    dealt = rows.folds(folds, repeats)
    tested = dealt[0] >= 0
    if not tested.any():
        raise EvenhandError(
            "y: every class has a single row, so none can be held out for selection; add rows, or give "
            "validation"
        )
    held = _of_all_folds(rows, dealt, lambda part: reference_heads(part, grid, rows.has_text), scored)
    erm = chosen_erm(held)
    seen = cross_fits(held, rows.y, erm, grid, tested, has_text=rows.has_text)
    return ReferenceFits(dealt, tested, erm, held, seen, find_signs(seen))


def cross_fit(rows: Rows, grid: Grid, folds: int, repeats: int, *, scored: bool = False) -> CrossFitted:
    """Cross-fit the reference models, read the hidden minority, and cross-fit the balanced heads.

    `scored` keeps the scores of all candidates.

    Raises
    ------
    EvenhandError
        If no class has two rows.
    """
    found = cross_fit_references(rows, grid, folds, repeats, scored=scored)
    weights = np.ones(len(rows.y))
    weights[found.tested] = balancing_weights(found.signs.low, found.signs.trust, found.seen.y)
    heads = _of_all_folds(
        rows, found.dealt, lambda part: head_coefficients(part, weights, grid, rows.has_text), scored
    )
    right = np.concatenate([found.held.right[:-1], heads.right])[:, found.tested]
    scores = candidate_scores(found.held, heads)
    scores = None if scores is None else scores[:, found.tested]
    return CrossFitted(found.tested, found.erm, right, found.seen, found.signs, weights, scores)


def candidate_scores(references: HeldOut, heads: HeldOut) -> Floats | None:
    """Return the scores of all candidates except the probe, [K, N, C]; None if they are not kept."""
    if references.scores is None or heads.scores is None:
        return None
    return np.concatenate([references.scores[:-1], heads.scores])


def reference_heads(part: Part, grid: Grid, has_text: bool) -> list[Floats]:
    """Return coefficients [D, C] of zero-shot, ERM for every penalty, and the shortcut probe."""
    erm = [fitted.head() for fitted in erm_heads(part, grid.erm, has_text=has_text)]
    probe = probe_head(part, grid.probe, has_text=has_text)
    return [part.prototypes.T.astype(np.float32), *erm, probe]


def head_coefficients(part: Part, weights: Floats, grid: Grid, has_text: bool) -> list[Floats]:
    """Return coefficients [D, C] of the balanced heads for every penalty."""
    found = balanced_heads(part, weights, grid.balanced, has_text=has_text)
    return [fitted.head() for fitted in found]


def chosen_erm(references: HeldOut) -> int:
    """Return the index of the ERM with the lowest cross-entropy; zero-shot comes first, the probe last."""
    return 1 + int(np.argmin(references.loss[1:-1]))


def cross_fits(
    references: HeldOut, y: Ints, erm: int, grid: Grid, tested: Bools, *, has_text: bool
) -> CrossFits:
    """Return the input of `find_signs`: predictions and margins of the reference models on held-out rows."""
    reference = 0 if grid.reference is None else 1 + grid.erm.index(grid.reference)
    codes = references.codes[:, tested]
    margins, leads = (
        values[:, tested].astype(np.float64) for values in (references.margins, references.leads)
    )
    return CrossFits(
        y=y[tested],
        zero_shot=codes[0],
        erm=codes[erm],
        probe=codes[-1],
        zero_shot_margin=margins[0],
        erm_margin=margins[erm],
        probe_margin=margins[-1],
        reference_margin=margins[reference],
        zero_shot_lead=leads[0],
        erm_lead=leads[erm],
        has_text=has_text,
    )


def _of_all_folds(
    rows: Rows, dealt: Sequence[Ints], heads: Callable[[Part], list[Floats]], scored: bool
) -> HeldOut:
    models: list[list[FoldModels]] = []
    for repeat, fold in enumerate(dealt):
        models.append([])
        for number in range(int(fold.max()) + 1):
            part = rows.part(np.flatnonzero(fold != number), repeat, number)
            models[-1].append(FoldModels.of(part.center, heads(part)))
    return held_out(rows.projected, rows.y, dealt, models, scored=scored)
