"""The training rows that the signs of a shortcut point to, for the report and for an audit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evenhand._typing import Bools, Floats
from evenhand.methods.auto.cross_fit import CrossFitted


@dataclass(frozen=True)
class MinorityRows:
    """Rows that seem to lie in a hidden minority of their class, or to carry a wrong label.

    Attributes
    ----------
    anchors : int64 Tensor [A]
        Row numbers among the training rows.
    margins, zero_shot_margins, erm_margins : float Tensor [N]
        `mean_margins` of the shortcut probe, of zero-shot and of ERM, none of which trained on the row; NaN
        for a row that is alone in its class.
    low, trust : float Tensor [N]
        P(hidden minority), and how much the row counts; NaN likewise.
    """

    anchors: Tensor
    margins: Tensor
    zero_shot_margins: Tensor
    erm_margins: Tensor
    low: Tensor
    trust: Tensor

    @classmethod
    def of(cls, found: CrossFitted) -> MinorityRows:
        """Return the rows of a cross-fit: P(hidden minority) is at least ½, or trust under 1."""
        signs, seen, tested = found.signs, found.seen, found.tested
        shown = (signs.low >= 0.5) | (signs.trust < 1)
        return cls(
            torch.from_numpy(np.flatnonzero(tested)[shown]),
            _on_all(seen.probe_margin, tested),
            _on_all(seen.zero_shot_margin, tested),
            _on_all(seen.erm_margin, tested),
            _on_all(signs.low, tested),
            _on_all(signs.trust, tested),
        )

    def columns(self) -> dict[str, Floats]:
        """Return the figures of the anchors by name, each [A]."""
        named = {
            "margin": self.margins,
            "zero_shot_margin": self.zero_shot_margins,
            "erm_margin": self.erm_margins,
            "low": self.low,
            "trust": self.trust,
        }
        return {name: values[self.anchors].numpy() for name, values in named.items()}


def _on_all(values: Floats, tested: Bools) -> Tensor:
    out = np.full(len(tested), np.nan)
    out[tested] = values
    return torch.from_numpy(out)
