"""Presets of CFR: sets of parameters with a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenhand._errors import EvenhandError
from evenhand.methods.cfr.recipe import GRID, NEAREST, PAPER, PAPER_CODE, STABLE

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "grid": {"recipes": GRID},
    "nearest": {"recipes": NEAREST},
    "stable": {"reference": "erm", "recipes": STABLE},
    "cross-fitted": {"reference": "cross_fitted_erm", "recipes": STABLE},
    "paper": {"reference": "erm", "recipes": PAPER},
    "paper-code": {"reference": "erm", "recipes": PAPER_CODE},
    "paper-zero-shot": {"reference": "zero_shot", "recipes": PAPER},
}
"""Parameters by the name of the preset. With every preset, a candidate replaces ERM only on evidence."""


def preset_values(name: str | None) -> Mapping[str, Any]:
    """Return the parameters of a preset; none for None.

    Raises
    ------
    EvenhandError
        If no preset has that name.
    """
    if name is None:
        return {}
    if not isinstance(name, str) or name not in PRESETS:
        raise EvenhandError(f"preset: cfr has no preset {name!r}; its presets are {', '.join(PRESETS)}")
    return PRESETS[name]
