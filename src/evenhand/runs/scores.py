"""How right a run's predictions are on images whose labels are known: the object that an audit gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Floats, Ints, Strings
from evenhand.data.known_labels import KnownLabels
from evenhand.evaluation.result_row import evaluated, names_of_groups
from evenhand.methods._training.model import Model
from evenhand.methods.bundle import ERM_BUNDLE, read_bundle
from evenhand.runs.card import read_result

NOT_READ = -1


@dataclass(frozen=True)
class Scores:
    """Predictions beside labels, filled block by block.

    Attributes
    ----------
    known : KnownLabels
        Of N images.
    classes : sequence of str
        Of the run.
    column : str or None
        The attribute that makes groups.
    erm : Model or None
        The plainly trained model that the run started from, to compare with.
    predicted, by_erm : int64 [N]
        Codes by the run and by ERM, `NOT_READ` where an image gave none.
    about : mapping
        What the run's own result says of its method.
    """

    known: KnownLabels
    classes: Sequence[str]
    column: str | None
    erm: Model | None
    predicted: Ints
    by_erm: Ints
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
        """Return the empty scores of a run on images.

        Raises
        ------
        EvenhandError
            If `group_by` is no attribute of the images, or the run cannot be read.
        """
        about = read_result(run)
        kept = ("method", "seed", "group_labels_used", "needs", "selection", "kept")
        erm = read_bundle(run / ERM_BUNDLE)[0] if known.any and ERM_BUNDLE in card["files"] else None
        return cls(
            known,
            classes,
            _column(known, group_by, card.get("group_by")),
            erm,
            np.full(len(known.y), NOT_READ, dtype=np.int64),
            np.full(len(known.y), NOT_READ, dtype=np.int64),
            {name: about[name] for name in kept},
        )

    def add(self, positions: Sequence[int], codes: Ints, X: Floats) -> list[tuple[str, str]]:
        """Keep the codes of some images with features [n, D_in]; return their label and `true` or `false`."""
        self.predicted[positions] = codes
        self.by_erm[positions] = codes if self.erm is None else self.erm.logits(X).argmax(axis=1)
        y, labels = self.known.y[positions], self.known.labels[positions]
        right = np.where(y < 0, "", np.where(y == codes, "true", "false"))
        return list(zip(map(str, labels), map(str, right), strict=True))

    def told(self) -> dict[str, Any]:
        """Return the evaluation with the keys of an audit's; of images without labels the notes alone."""
        rows = np.flatnonzero((self.known.y >= 0) & (self.predicted != NOT_READ))
        if not len(rows):
            return {"notes": list(self.known.notes)} if self.known.notes else {}
        y, codes = self.known.y[rows], self.predicted[rows]
        row = evaluated(
            codes == y,
            y,
            self.classes,
            None if self.erm is None and self.about["method"] != "erm" else self.by_erm[rows] == y,
            groups=self._groups(rows),
            group_names=self._group_names(),
            split="source",
            notes=list(self.known.notes),
            **self.about,
        )
        return row.model_dump(mode="json")

    def _groups(self, rows: Ints) -> Strings | None:
        if self.column is None:
            return None
        values = self.known.attributes[self.column][rows]
        names = np.char.add(np.char.add(self.known.labels[rows], " / "), values)
        return np.where(values == "", "", names)

    def _group_names(self) -> list[str]:
        return (
            [] if self.column is None else names_of_groups(self.classes, self.known.attributes[self.column])
        )


def _column(known: KnownLabels, group_by: str | None, of_run: str | None) -> str | None:
    if group_by is not None and group_by not in known.attributes:
        there = ", ".join(known.attributes) or "none"
        raise EvenhandError(f"group_by: {group_by!r} is no attribute of these images; they have: {there}")
    return next((name for name in (group_by, of_run, *known.attributes) if name in known.attributes), None)
