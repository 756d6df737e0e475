"""Names of things in sentences and on the page."""

from __future__ import annotations

NO_BREAK = "\u00a0"
ABBREVIATIONS = {"erm", "cfr", "dfr", "jtt", "afr", "cnc", "ppa"}


def label(method: str) -> str:
    """Return a method's registry name as people write it: ERM, zero-shot, linear probe, CFR (paper)."""
    name, _, preset = method.partition(":")
    if preset:
        return f"{label(name)} ({preset})"
    if method in ABBREVIATIONS:
        return method.upper()
    return "zero-shot" if method == "zero_shot" else method.replace("_", " ")
