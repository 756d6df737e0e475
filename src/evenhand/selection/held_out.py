"""Predictions of the reference models on held-out rows: all that selection may see of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from evenhand._typing import Bools, Floats, Ints


@dataclass(frozen=True)
class HeldOutPredictions:
    """Labels and reference predictions of M rows that trained none of the candidates.

    Attributes
    ----------
    y : int64 [M]
        True class codes.
    zero_shot : int64 [M]
        Class codes that zero-shot predicts.
    erm_logits : float32 [M, C]
        Logits of ERM.
    shortcut : int64 [M]
        Class codes that the shortcut probe predicts; `y` itself if there is no probe.
    zero_shot_margin, shortcut_margin : float32 [M] or None
        Logit of the true class minus the largest other logit. The probe's is None if there is no probe.
    z : float32 [M, D] or None
        Embeddings by the pretrained projection, for the rules with `reads_features`.
    groups : int64 [M] or None
        Group codes, −1 where unknown. Only the oracle rule reads them.
    has_text : bool, default=True
        Whether zero-shot uses the prompts of the class names; without them it uses class centroids.
    """

    y: Ints
    zero_shot: Ints
    erm_logits: Floats
    shortcut: Ints
    zero_shot_margin: Floats | None = None
    shortcut_margin: Floats | None = None
    z: Floats | None = None
    groups: Ints | None = None
    has_text: bool = True

    @property
    def n_classes(self) -> int:
        """Number of classes C."""
        return int(self.erm_logits.shape[1])

    @property
    def erm(self) -> Ints:
        """Class codes that ERM predicts, [M]."""
        predicted: Ints = self.erm_logits.argmax(axis=1)
        return predicted

    @property
    def suspects(self) -> Bools:
        """Rows that may be mislabeled: zero-shot and ERM predict the same other class, bool [M]."""
        suspects: Bools = (self.zero_shot == self.erm) & (self.erm != self.y)
        return suspects

    @staticmethod
    def concatenate(parts: Sequence[HeldOutPredictions]) -> HeldOutPredictions:
        """Return the rows of all parts in order; a field that is None in one part is None in the result."""

        def together(name: str) -> Any:
            values = [getattr(part, name) for part in parts]
            return None if any(value is None for value in values) else np.concatenate(values)

        arrays = {
            field.name: together(field.name)
            for field in fields(HeldOutPredictions)
            if field.name != "has_text"
        }
        return HeldOutPredictions(**arrays, has_text=all(part.has_text for part in parts))
