"""What selection may see of the rows that it judges candidates on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from evenhand._typing import Bools, Floats, Ints


@dataclass(frozen=True)
class HeldOutPredictions:
    """Rows that none of the judged models was trained on.

    Attributes
    ----------
    y : int64 [M]
        True codes.
    zero_shot : int64 [M]
        Codes predicted by zero-shot.
    erm_logits : float32 [M, C]
        Of ERM.
    shortcut : int64 [M]
        Codes predicted by the shortcut probe; y itself where there is no probe.
    zero_shot_margin, shortcut_margin : float32 [M] or None
        Logit of the true class minus the largest other one; the probe's is None where there is no probe.
    z : float32 [M, D] or None
        Embeddings by the pretrained projection, for rules that read them.
    groups : int64 [M] or None
        Group codes, -1 where unknown. Only the oracle rule reads them.
    has_text : bool
        Whether zero-shot is that of class names, not of the class centroids that stand in for them.
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
        """C."""
        return int(self.erm_logits.shape[1])

    @property
    def erm(self) -> Ints:
        """Codes predicted by ERM, [M]."""
        predicted: Ints = self.erm_logits.argmax(axis=1)
        return predicted

    @property
    def suspects(self) -> Bools:
        """Rows that zero-shot and ERM agree to be of another class: mislabelled, as far as they can tell."""
        suspects: Bools = (self.zero_shot == self.erm) & (self.erm != self.y)
        return suspects

    @staticmethod
    def concatenate(parts: Sequence[HeldOutPredictions]) -> HeldOutPredictions:
        """Return the rows of all parts, in order; what some part lacks, the whole lacks."""

        def together(name: str) -> Any:
            values = [getattr(part, name) for part in parts]
            return None if any(value is None for value in values) else np.concatenate(values)

        arrays = {
            field.name: together(field.name)
            for field in fields(HeldOutPredictions)
            if field.name != "has_text"
        }
        return HeldOutPredictions(**arrays, has_text=all(part.has_text for part in parts))
