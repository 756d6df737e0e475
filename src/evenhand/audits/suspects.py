"""Calibration rows that look mislabelled rather than rare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import softmax

from evenhand._typing import Bools, Floats, Ints
from evenhand.audits.findings import Suspect


def suspects(
    numbers: Ints,
    y: Ints,
    logits: Mapping[str, Floats],
    trusted: Bools,
    classes: Sequence[str],
    ids: Sequence[str],
    paths: Sequence[str],
) -> list[Suspect]:
    """Return the rows that all models take for one and the same other class, the most suspect first.

    A minority row misleads a model that leans on the shortcut, but its label still fits the image: the
    prompts, or the calibrated model, see that. A mislabelled row fits its label to neither. The score is
    the smallest of the models' 1 − P(label): how sure the least sure of them is. Of a class that some model
    mostly misses no row is suspect: its disagreement tells nothing.

    Parameters
    ----------
    numbers : int64 [A]
        Row numbers in the store.
    y : int64 [A]
        Codes of their labels.
    logits : dict of str to float32 [A, C]
        By model.
    trusted : bool [C]
        Classes that every model has mostly right on rows that it was not trained on.
    classes, ids, paths : sequences of str
        Class names; names and images of all rows of the store.
    """
    predicted = np.stack([values.argmax(axis=1) for values in logits.values()])
    agreed = (predicted == predicted[0]).all(axis=0) & (predicted[0] != y) & trusted[y]
    against = np.stack([1 - _of(softmax(v.astype(np.float64), axis=1), y) for v in logits.values()])
    score = against.min(axis=0)
    rows = np.flatnonzero(agreed)
    return [
        Suspect(
            id=str(ids[numbers[k]]),
            row=int(numbers[k]),
            path=str(paths[numbers[k]]),
            label=classes[y[k]],
            looks_like=classes[predicted[0, k]],
            score=float(score[k]),
            reason=_reason(
                classes[y[k]], classes[predicted[0, k]], dict(zip(logits, against[:, k], strict=True))
            ),
        )
        for k in rows[np.argsort(-score[rows], kind="stable")]
    ]


def _of(probabilities: Floats, y: Ints) -> Floats:
    taken: Floats = probabilities[np.arange(len(y)), y]
    return taken


def _reason(label: str, other: str, against: Mapping[str, float]) -> str:
    sure = " and ".join(f"{name} ({100 * share:.0f} %)" for name, share in against.items())
    return f"{sure} say that it is no {label}, and take it for {other}"
