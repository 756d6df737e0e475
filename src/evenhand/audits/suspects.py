"""Calibration rows that every model predicts as another class: a wrong label, or a rare condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy.special import softmax

from evenhand._typing import Bools, Floats, Ints
from evenhand.audits.calibration_set import CalibrationRows
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.findings import Suspect
from evenhand.evaluation.verdict_sentences import kept_reference

RARE: Literal["wrong label or rare condition"] = "wrong label or rare condition"
HARD: Literal["wrong label or hard image"] = "wrong label or hard image"


def find_suspects(
    models: EvaluatedModels, calibration: CalibrationRows, kept: Mapping[str, Any]
) -> list[Suspect]:
    """Return the suspects among a run's calibration rows, as the pretrained model and the run's see them.

    There are none if the run kept zero-shot or ERM: both may share the shortcut, and then a rare condition
    looks like a wrong label to both.
    """
    rows = calibration.rows
    if not len(rows) or kept_reference(kept):
        return []
    table = models.table
    pair = {"zero_shot": models.on_sliced[0], models.on_sliced[-1].name: models.on_sliced[-1]}
    trusted = mostly_correct([stage.right for stage in pair.values()], models.rows.y, len(table.classes))
    X = table.features(rows)
    logits = {name: stage.model.logits(X) for name, stage in pair.items()}
    ids, paths = table.ids.tolist(), table.paths.tolist()
    minority = np.array([one.get("low", 1.0) for one in calibration.records])
    return suspects(rows, table.y[rows], logits, trusted, minority, table.classes, ids, paths)


def mostly_correct(right: Sequence[Bools], y: Ints, n_classes: int) -> Bools:
    """Return which classes every model classifies correctly on more than half of their held-out rows.

    Parameters
    ----------
    right : sequence of bool [N]
        For each model, whether each prediction is correct.
    y : int64 [N]
        Codes of the labels. A class without rows is not trusted.
    n_classes : int
        C.
    """
    of_class = [y == code for code in range(n_classes)]
    return np.array(
        [all(own.any() and flags[own].mean() > 0.5 for flags in right) for own in of_class], dtype=bool
    )


def suspects(
    numbers: Ints,
    y: Ints,
    logits: Mapping[str, Floats],
    trusted: Bools,
    minority: Floats,
    classes: Sequence[str],
    ids: Sequence[str],
    paths: Sequence[str],
) -> list[Suspect]:
    """Return the rows that all models predict as the same other class, the most suspect first.

    A minority row misleads a model that relies on the shortcut, but its label still fits the image, which the
    prompts or the calibrated model see. The label of a mislabeled row fits neither. The score is the smallest
    of the models' 1 − P(label): the certainty of the less certain one. A class that some model mostly
    misclassifies has no suspects, since such a model's disagreement is no evidence. Where the shortcut fits
    the label, the row is not rare, but it may be hard.

    Parameters
    ----------
    numbers : int64 [A]
        Row numbers in the store.
    y : int64 [A]
        Codes of their labels.
    logits : dict of str to float32 [A, C]
        Logits by model name.
    trusted : bool [C]
        Classes that every model mostly classifies correctly on held-out rows.
    minority : float [A]
        P(hidden minority of its class), by a model that sees the shortcut alone; 1 if it is unknown.
    classes : sequence of C str
        Class names.
    ids, paths : sequences of str
        Ids and image paths of all rows of the store.
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
            may_be=RARE if minority[k] >= 0.5 else HARD,
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
    return f"{sure} rule out {label} and predict {other}"
