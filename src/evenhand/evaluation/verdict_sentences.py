"""The sentences of a fit on the shortcut, the repair and what it keeps, the same on every page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from evenhand._counts import number_of
from evenhand.evaluation.labels import label


def kept_reference(kept: Mapping[str, Any]) -> str:
    """Return zero-shot or ERM, as `kept` names it, where a fit kept it; empty if it kept a repair.

    Examples
    --------
    >>> kept_reference({"candidate": "ERM (L2 3/n)"}), kept_reference({"candidate": "balanced head (L2 3/n)"})
    ('ERM (L2 3/n)', '')
    """
    name: str = kept.get("candidate") or ""
    return label(name) if name.lower().startswith(("erm", "zero")) else ""


def verdict_sentences(kept: Mapping[str, Any]) -> list[str]:
    """Return the sentences of a row's `kept`.

    Parameters
    ----------
    kept : mapping
        `kept` of a row of results.json. A method that looks for no shortcut gives one sentence: why its
        candidate replaced ERM, without names of rules, or its `reason`.

    Returns
    -------
    list of str
        The shortcut, the repair, what is kept with the runner-up, and the next step.
    """
    if "shortcut" not in kept:
        if kept.get("index") is not None:
            return [_passed(kept)]
        return [kept["reason"]] if kept.get("reason") else []
    return [
        f"Shortcut: {kept['shortcut']}; {kept['shortcut_reason']}.",
        f"Repair: {kept['repair']}; {kept['repair_reason']}.",
        kept_sentence(kept),
        f"Next: {kept['next_step']}.",
    ]


def in_plain_words(sentence: str) -> str:
    """Leave out details for authors: the test behind a verdict and the settings of a candidate."""
    plain = re.sub(r" \((?:skewness|L2) [^)]*\)", "", sentence)
    return re.sub(r"(ERM|balanced head) is kept; the next best is \1", r"\g<0> of another strength", plain)


def kept_sentence(kept: Mapping[str, Any]) -> str:
    """Return the sentence on what is kept, among how many, and what would have been; `reason` of `auto`."""
    what = (
        ", which gives both sides of the shortcut equal weight"
        if kept["candidate"].startswith("balanced")
        else ""
    )
    return (
        f"Kept: {kept['candidate']}{what}, of {number_of(kept['looked_at'], 'candidate')} on "
        f"{kept['rows']:,} rows; the runner-up is {kept['runner_up']}.{_of_strength(kept)}"
    )


def _of_strength(kept: Mapping[str, Any]) -> str:
    """Explain the names of heads, which end in the strength of their penalty."""
    named = "(L2 " in f"{kept['candidate']} {kept['runner_up']}"
    return " L2 k/n means an L2 penalty of k divided by the number n of training rows." if named else ""


def _passed(kept: Mapping[str, Any]) -> str:
    gain, low, stay = (f"{100 * kept[name]:.1f}" for name in ("gain", "low", "retention"))
    return (
        f"kept {kept['candidate']} of {number_of(kept['looked_at'], 'candidate')} instead of plain training "
        f"(ERM): on held-out rows, the label-free score {kept['rule']} is {gain} points higher (at least "
        f"{low}), and {stay} % of the rows that ERM classifies correctly stay correct"
    )
