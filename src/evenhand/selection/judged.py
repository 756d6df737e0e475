"""What selection may see of the rows that it judges candidates on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evenhand._typing import Bools, Floats, Ints


@dataclass(frozen=True)
class Judged:
    """Rows that none of the judged models was trained on.

    Attributes
    ----------
    y : int64 [M]
        True codes.
    z : float32 [M, D]
        Embeddings by the pretrained projection.
    zero_shot : int64 [M]
        Codes predicted by zero-shot.
    erm_logits : float32 [M, C]
        Of ERM.
    shortcut : int64 [M]
        Codes predicted by the shortcut probe; y itself where there is no probe.
    groups : int64 [M] or None
        Group codes, -1 where unknown. Only the oracle rule reads them.
    """

    y: Ints
    z: Floats
    zero_shot: Ints
    erm_logits: Floats
    shortcut: Ints
    groups: Ints | None = None

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
    def concatenate(parts: Sequence[Judged]) -> Judged:
        """Return the rows of all parts, in order."""
        groups = [part.groups for part in parts if part.groups is not None]
        return Judged(
            np.concatenate([part.y for part in parts]),
            np.concatenate([part.z for part in parts]),
            np.concatenate([part.zero_shot for part in parts]),
            np.concatenate([part.erm_logits for part in parts]),
            np.concatenate([part.shortcut for part in parts]),
            np.concatenate(groups) if len(groups) == len(parts) else None,
        )
