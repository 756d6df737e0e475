"""Evaluate the predictions of a run on images whose labels are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints
from evenhand.data.group_by import check_group_by
from evenhand.data.groups import Groups
from evenhand.data.known_labels import KnownLabels
from evenhand.evaluation.evaluated_rows import EvaluatedRows
from evenhand.evaluation.metrics import empty_scores
from evenhand.methods._training.model import Model
from evenhand.methods.bundle import ERM_BUNDLE, read_bundle
from evenhand.runs.card import read_result

NOT_READ = -1


@dataclass(frozen=True)
class Scores:
    """Predictions and labels of N images, filled block by block.

    Attributes
    ----------
    known : KnownLabels
        The labels and attributes of the images.
    classes : sequence of str
        Class names of the run.
    grouped : Groups or None
        The groups of the images; None without an attribute.
    erm : Model or None
        The ERM model that the run started from, to compare with.
    predicted, by_erm : int64 [N]
        Class codes that the run and ERM predict; `NOT_READ` for an image that could not be read.
    logits : float32 [N, C] or None
        Logits of the run; None if no image has a label, or they are too many to keep.
    about : mapping
        Fields of the run's own row of results that describe its method.
    """

    known: KnownLabels
    classes: Sequence[str]
    grouped: Groups | None
    erm: Model | None
    predicted: Ints
    by_erm: Ints
    logits: Floats | None
    about: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        run: Path,
        card: Mapping[str, Any],
        classes: Sequence[str],
        known: KnownLabels,
        group_by: str | None,
    ) -> Scores:
        """Return the scores of a run before its first prediction.

        Raises
        ------
        EvenhandError
            If `group_by` is not an attribute of the images, or the run cannot be read.
        """
        about = read_result(run)
        kept = ("method", "seed", "group_labels_used", "needs", "selection", "kept")
        erm = read_bundle(run / ERM_BUNDLE)[0] if known.any and ERM_BUNDLE in card["files"] else None
        names = _group_attributes(known, group_by, card.get("group_by"))
        return cls(
            known,
            classes,
            Groups.by(names, known.attributes, known.y, classes, known.y >= 0) if names else None,
            erm,
            np.full(len(known.y), NOT_READ, dtype=np.int64),
            np.full(len(known.y), NOT_READ, dtype=np.int64),
            empty_scores(len(known.y), len(classes)) if known.any else None,
            {name: about[name] for name in kept},
        )

    def add(self, positions: Sequence[int], logits: Floats, X: Floats) -> list[tuple[str, str]]:
        """Store the logits [n, C] of some images; return the label of each, and "true" if it is predicted."""
        codes = logits.argmax(axis=1)
        self.predicted[positions] = codes
        if self.logits is not None:
            self.logits[positions] = logits
        self.by_erm[positions] = codes if self.erm is None else self.erm.logits(X).argmax(axis=1)
        y, labels = self.known.y[positions], self.known.labels[positions]
        right = np.where(y < 0, "", np.where(y == codes, "true", "false"))
        return list(zip(map(str, labels), map(str, right), strict=True))

    def as_dict(self) -> dict[str, Any]:
        """Return the evaluation with the keys of an audit; only the notes if no image has a label."""
        rows = np.flatnonzero((self.known.y >= 0) & (self.predicted != NOT_READ))
        if not len(rows):
            return {"notes": list(self.known.notes)} if self.known.notes else {}
        on = EvaluatedRows(self.known.y[rows], self.classes, "source", rows, self.grouped)
        codes = self.predicted[rows]
        row = on.result_row(
            codes == on.y,
            None if self.erm is None and self.about["method"] != "erm" else self.by_erm[rows] == on.y,
            figures=on.figures(codes, None if self.logits is None else self.logits[rows]),
            notes=self.known.notes,
            **self.about,
        )
        return row.model_dump(mode="json")


def _group_attributes(known: KnownLabels, group_by: str | None, of_run: str | None) -> list[str]:
    """Return the attributes that make the groups: those of `group_by`, or the run's, or the first."""
    of_images = {"what": "these images", "has": "they have"}
    if group_by is None:
        with suppress(EvenhandError):  # these images need not have the attributes of the run
            return check_group_by(of_run, known.attributes, **of_images) or list(known.attributes)[:1]
        return list(known.attributes)[:1]
    return check_group_by(group_by, known.attributes, **of_images)
