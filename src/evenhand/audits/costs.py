"""What calibration does to uses of the model outside the task: other words, retrieval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evenhand._typing import Floats, Ints
from evenhand.audits.findings import Cost
from evenhand.functional.intervals import paired_interval

BEST = 10

MEANINGS = {
    "zero_shot": "share of images whose value the prompts of all values find, without training",
    "retrieval": "share of images whose own text, class and value, is the nearest of all such texts",
    "words_kept": "share of images whose nearest word outside the task stays the same",
    "retrieval_kept": f"share of the {BEST} nearest images of a word outside the task that stay",
}


def accuracy_cost(name: str, kind: str, before: Floats, after: Floats, text: Floats, codes: Ints) -> Cost:
    """Compare how often the nearest text is the right one.

    Parameters
    ----------
    name, kind : str
        Of the cost, and a key of `MEANINGS`.
    before, after : float32 [N, D]
        Unit embeddings by the pretrained and by the calibrated projection.
    text : float32 [V, D]
        Unit texts.
    codes : int64 [N]
        The right text of each row; −1 leaves it out.
    """
    known = codes >= 0
    right = [(z[known] @ text.T).argmax(axis=1) == codes[known] for z in (before, after)]
    return _cost(name, kind, right[0].astype(float), right[1].astype(float))


def words_kept(before: Floats, after: Floats, text: Floats) -> Cost:
    """Compare the nearest of words text [V, D] of each row, before with after."""
    same = (before @ text.T).argmax(axis=1) == (after @ text.T).argmax(axis=1)
    return _cost("words_kept", "words_kept", np.ones(len(same)), same.astype(float))


def retrieval_kept(before: Floats, after: Floats, text: Floats) -> Cost:
    """Compare the `BEST` nearest rows of each of words text [V, D], before with after."""
    k = min(BEST, len(before))
    best = [np.argpartition(-(z @ text.T), k - 1, axis=0)[:k] for z in (before, after)]
    kept = np.array([len(np.intersect1d(a, b)) / k for a, b in zip(*(b.T for b in best), strict=True)])
    return _cost("retrieval_kept", "retrieval_kept", np.ones(len(kept)), kept)


def unknown_costs(names: Sequence[str], reason: str) -> list[Cost]:
    """Return costs that cannot be measured, and why."""
    return [Cost(name=name, meaning=MEANINGS[name.partition(":")[0]], reason=reason) for name in names]


def _cost(name: str, kind: str, before: Floats, after: Floats) -> Cost:
    low, high = paired_interval(before, after)
    return Cost(
        name=name,
        meaning=MEANINGS[kind],
        n=len(before),
        before=float(before.mean()),
        after=float(after.mean()),
        difference=float((after - before).mean()),
        low=None if np.isnan(low) else low,
        high=None if np.isnan(high) else high,
    )
