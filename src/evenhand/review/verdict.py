"""Is the shortcut real? The attribute must go with the label, and accuracy must follow the attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel

from evenhand._typing import Floats
from evenhand.evaluation.accuracy import Rate
from evenhand.functional.intervals import percentile_interval

GOES_WITH = 0.1
"""Least difference in the share of yes, to the other classes, for the attribute to go with the label."""
SMALL = 0.1
"""A gap whose interval is under this counts as none."""
UNREADABLE = 0.35
"""Error of the probe at which the attribute counts as unreadable."""


class ClassGap(BaseModel):
    """Accuracy within a class on rows with its usual attribute value, minus that on the other rows.

    label: the class. usual: yes or no, whichever goes with the class in training. association: share of the
    usual side in the class minus its mean share in the other classes, from 0 to 1. value, low, high: the gap,
    with an interval that holds for all classes at once at 95 %; None if the class has no evaluated rows.
    """

    label: str
    usual: Literal["yes", "no"]
    association: float
    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, label: str, shares: Mapping[str, float], values: Floats, drawn: Floats) -> ClassGap:
        """Return the gap of a class.

        Parameters
        ----------
        label : str
            The class.
        shares : mapping of str to float
            Share of yes in training by class.
        values : float [2]
            Its accuracies with no and with yes.
        drawn : float [B, 2]
            The same on posterior draws.
        """
        more = shares[label] - float(np.mean([share for name, share in shares.items() if name != label]))
        sign = 1 if more >= 0 else -1
        value = sign * float(values[1] - values[0])
        low, high = percentile_interval(sign * (drawn[:, 1] - drawn[:, 0]), 1 - 0.05 / len(shares))
        known = bool(np.isfinite(value) and np.isfinite(low))
        return cls(
            label=label,
            usual="yes" if sign > 0 else "no",
            association=abs(more),
            value=value if known else None,
            low=min(low, value) if known else None,
            high=max(high, value) if known else None,
        )


class ShortcutVerdict(BaseModel):
    """Whether the shortcut is real, in the terms of `auto`: found, no sign or cannot tell; and why."""

    shortcut: Literal["found", "no sign", "cannot tell"]
    reason: str


def verdict_of(gaps: Sequence[ClassGap], error: Rate) -> ShortcutVerdict:
    """Return the verdict.

    Found: in some class the attribute goes with the label by 10 points or more, and accuracy on its usual
    side is higher beyond chance. No sign: every gap is under 10 points beyond chance, or no class goes with
    the attribute. Cannot tell: anything else, or the attribute cannot be read from the embeddings.
    """
    if (error.value or 0.0) >= UNREADABLE:
        return _cannot(
            f"the embeddings do not show the attribute: {100 * (error.value or 0):.0f} % of the answers are "
            "contradicted"
        )
    tied = [gap for gap in gaps if gap.association >= GOES_WITH and gap.value is not None]
    sure = [gap for gap in tied if (gap.low or 0.0) > 0]
    if sure:
        first = max(sure, key=lambda gap: gap.low or 0.0)
        return ShortcutVerdict(
            shortcut="found",
            reason=f"{first.label!r} goes with {first.usual}; without it, accuracy is {_points(first)} lower",
        )
    if not tied:
        return ShortcutVerdict(
            shortcut="no sign",
            reason="in no class does the attribute go with the label by 10 points or more in training",
        )
    if all((gap.high or 0.0) < SMALL for gap in tied):
        return ShortcutVerdict(shortcut="no sign", reason="every gap along the attribute is under 10 points")
    widest = max(tied, key=lambda gap: gap.high or 0.0)
    return _cannot(f"the gap of {widest.label!r} is {_points(widest)}: more answers may tell")


def _cannot(reason: str) -> ShortcutVerdict:
    return ShortcutVerdict(shortcut="cannot tell", reason=reason)


def _points(gap: ClassGap) -> str:
    value, low, high = (100 * (one or 0.0) for one in (gap.value, gap.low, gap.high))
    return f"{value:.0f} points [{low:.0f}, {high:.0f}]".replace("-", "−")
