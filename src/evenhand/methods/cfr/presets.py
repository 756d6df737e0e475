"""Presets of CFR: sets of parameters with a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from evenhand._errors import EvenhandError
from evenhand.methods._training.train_erm import PUBLISHED_SGD
from evenhand.methods.cfr.recipe import (
    CENTROIDS,
    GRID,
    NEAREST,
    PUBLISHED_CODE,
    PUBLISHED_SIMILARITY,
    STABLE,
)

PresetName: TypeAlias = Literal[
    "default",
    "grid",
    "nearest",
    "stable",
    "cross-fitted",
    "published-code",
    "published-similarity",
    "abstract",
    "centroids-second-hand",
]
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "grid": {"recipes": GRID},
    "nearest": {"recipes": NEAREST},
    "stable": {"reference": "erm", "recipes": STABLE},
    "cross-fitted": {"reference": "cross_fitted_erm", "recipes": STABLE},
    "published-code": {"reference": "erm", "recipes": PUBLISHED_CODE, "erm": PUBLISHED_SGD},
    "published-similarity": {"reference": "erm", "recipes": PUBLISHED_SIMILARITY, "erm": PUBLISHED_SGD},
    "abstract": {"reference": "zero_shot", "recipes": PUBLISHED_SIMILARITY, "erm": PUBLISHED_SGD},
    "centroids-second-hand": {"reference": "erm", "recipes": CENTROIDS, "erm": PUBLISHED_SGD},
}
"""Parameters by the name of the preset. With every preset, a candidate replaces ERM only on evidence.

`published-code` has the settings of the authors' published code, ERM's step included. `published-similarity`
has the similarity term in place of the targeted one, and `abstract` also takes the calibration set as the
abstract words it, from zero-shot. `centroids-second-hand` follows a third party's summary of the paper, whose
body was not read.
"""


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
