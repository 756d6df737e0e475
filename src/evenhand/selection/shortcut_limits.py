"""When the signs of a shortcut count: the thresholds, and how many rows are few."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST_HIDDEN_ROWS = 10
"""Rows are few if the smallest hidden cell has fewer than this."""
FEWEST_CLASS_ROWS = 10 * FEWEST_HIDDEN_ROWS
"""Without a hidden cell, rows are few if the median class has fewer, so that a tenth of it would be few."""


@dataclass(frozen=True)
class Limits:
    """Thresholds of `find_signs`. Set on `benchmarks/decision.py`; the documentation has their ablation.

    Attributes
    ----------
    skewness, skewness_without_text : float
        g at which a hidden minority is as likely as not.
    share_without_text : float
        Share of what the reference explains that is subtracted from the probe if there is no text.
    competence : float
        Least competence at which zero-shot can vouch for the probe.
    agreement, legibility : float
        A probe below the first or above the second reads something that no row contradicts. The second also
        applies to groups of classes.
    against : float
        Such a probe counts as uncontradicted if fewer rows of a class contradict it. Wrong labels that a
        model confirms by chance do not count.
    clearness : float
        Least product of contradiction and separation for the lower part to be a minority and not a tail.
    """

    skewness: float = 0.25
    skewness_without_text: float = 0.8
    share_without_text: float = 0.75
    competence: float = 0.7
    agreement: float = -0.25
    legibility: float = 0.95
    against: float = 2.0
    clearness: float = 1.65
