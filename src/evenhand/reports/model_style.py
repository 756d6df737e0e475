"""One color and mark for each model, on every page, and what a column of figures is called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from zlib import crc32

from evenhand.evaluation.labels import label
from evenhand.evaluation.verdict_sentences import kept_reference
from evenhand.methods.registry import METHODS
from evenhand.reports.rates import Record

COLORS = 8
MARKS = 4
FIRST = ("zero_shot", "erm", "auto", "cfr")
"""The models of most pages, in the colors that differ most."""
PLACES = {name: k for k, name in enumerate(dict.fromkeys((*FIRST, *METHODS)))} | {"class_centroids": 0}


def model_style(name: str) -> str:
    """Return the classes of a model's color and mark, by its registry name or its label.

    Examples
    --------
    >>> model_style("zero_shot"), model_style("zero-shot"), model_style("CFR")
    ('m0 s0', 'm0 s0', 'm3 s3')
    """
    plain = re.sub(r"\W+", "_", name.lower()).strip("_")
    place = PLACES.get(plain, crc32(plain.encode()) % (COLORS * MARKS))
    # After one round of colors the marks shift, so that no two models share both.
    return f"m{place % COLORS} s{(place + place // COLORS) % MARKS}"


def references_kept(rows: Sequence[Record]) -> dict[str, str]:
    """Return the methods that kept zero-shot or ERM on all their seeds, with what they kept."""
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["method"], set()).add(kept_reference(row.get("kept") or {}))
    return {method: kept.pop() for method, kept in found.items() if len(kept) == 1 and "" not in kept}


def column_titles(rows: Sequence[Record]) -> dict[str, str]:
    """Return the title of each method that kept zero-shot or ERM: CFR → kept zero-shot."""
    return {method: f"{label(method)} → kept {kept}" for method, kept in references_kept(rows).items()}


def column_styles(rows: Sequence[Record]) -> dict[str, str]:
    """Return the color and mark of each method that kept zero-shot or ERM: those of what it kept."""
    return {
        method: model_style("erm" if kept.lower().startswith("erm") else "zero_shot")
        for method, kept in references_kept(rows).items()
    }


def distinct_methods(rows: Sequence[Record]) -> list[str]:
    """Return the methods in their order, without a zero-shot or ERM whose figures a method repeats."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    repeated = {
        reference
        for method in references_kept(rows)
        for reference in ("zero_shot", "erm")
        if method != reference and _rates(rows, method) == _rates(rows, reference)
    }
    return [method for method in methods if method not in repeated]


def _rates(rows: Sequence[Record], method: str) -> list[list[float | None]]:
    own = [row for row in rows if row["method"] == method]
    return [[rate["value"] for kind in ("groups", "classes") for rate in row.get(kind) or []] for row in own]
