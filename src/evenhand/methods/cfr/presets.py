"""Named recipes of CFR, and presets: named sets of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from evenhand._errors import NotAllowedError
from evenhand.backbones.projection import LinearProjection
from evenhand.functional.targeted import Targeted
from evenhand.methods._draws.negatives import NearestNegatives
from evenhand.methods._draws.positives import Centroid
from evenhand.methods._training.loop import SGD
from evenhand.methods._training.problem import Problem
from evenhand.methods._training.train_erm import PUBLISHED_SGD
from evenhand.methods.cfr.loss_terms import (
    AnchorCrossEntropy,
    BatchCrossEntropy,
    Calibration,
    CentroidContrast,
    Similarity,
    TargetedContrast,
)
from evenhand.methods.cfr.recipe import Recipe

PUBLISHED_SIMILARITY = Recipe(
    (AnchorCrossEntropy(), Calibration(), Similarity()),
    SGD(learning_rate=1e-4, epochs=100),
    schedule=0.5,
    dropout=0.1,
)
"""The settings of the published code, with the similarity term, which that code computes outside training."""

PUBLISHED_CODE = replace(
    PUBLISHED_SIMILARITY,
    terms=(AnchorCrossEntropy(), Calibration(), TargetedContrast(settings=Targeted(random_queue=True))),
)
"""The settings of the published code: the targeted loss is in training."""

CENTROIDS = replace(PUBLISHED_SIMILARITY, terms=(AnchorCrossEntropy(), CentroidContrast(), Similarity()))
"""Anchors against class centroids, positive and negative: a third party's summary, which was not checked."""

STABLE = Recipe(
    (Calibration(2.0, temperature=0.1), BatchCrossEntropy(balanced=True)),
    SGD(learning_rate=6e-4, epochs=15),
    balanced=True,
)
"""The default: cross-entropy on all rows keeps what ERM has learned, and calibration moves the errors.

All classes count equally.
"""


NEAREST = replace(STABLE, positives=Centroid(), negatives=NearestNegatives())
"""`STABLE` with centroids as positives and the nearest negatives; better on some data sets, and slower."""

GRID = tuple(
    replace(STABLE, sgd=replace(STABLE.sgd, learning_rate=rate))
    for rate in (2e-4, STABLE.sgd.learning_rate, 2e-3)
)
"""`STABLE` with three learning rates; all their epochs are candidates of one choice."""

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

`published-code` has the settings of the authors' published code, ERM's learning rate included.
`published-similarity` has the similarity term in place of the targeted one, and `abstract` also makes the
calibration set from zero-shot's errors, as the abstract says. `centroids-second-hand` follows a third party's
summary of the paper, whose body was not read.
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
        raise NotAllowedError.of("preset", name, PRESETS)
    return PRESETS[name]


def default_recipe(problem: Problem) -> Recipe:
    """Return `STABLE`, with the published learning rate where an attention pool is trained."""
    if isinstance(problem.start.projection, LinearProjection):
        return STABLE
    return replace(STABLE, sgd=replace(STABLE.sgd, learning_rate=1e-4))
