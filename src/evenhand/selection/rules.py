"""Label-free rules: one number per candidate, from its right and wrong rows.

A rule cuts the judged rows into cells and reduces the accuracies in them. `WORST_GROUP` is the oracle that
the others are measured against, and says that it uses group labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evenhand._errors import EvenhandError
from evenhand._typing import Bools, Floats, Ints
from evenhand.functional.clusters import class_clusters
from evenhand.selection.cells import Partition
from evenhand.selection.environments import infer_environments
from evenhand.selection.held_out import HeldOutPredictions

MIN_ROWS = 5
"""Inferred cells with fewer rows do not count."""


@dataclass(frozen=True)
class Rule:
    """Scores candidates; larger is better.

    Attributes
    ----------
    name : str
        As printed in every table.
    partition : callable
        Judged rows to cells.
    reduce : callable
        Accuracies [..., G] in the cells and the cells' classes [G] to scores [...].
    group_labels_used : str
        `none` for every rule but the oracle.
    reads_features : bool
        Whether the cells depend on the embeddings, which are kept for such rules alone.
    """

    name: str
    partition: Callable[[HeldOutPredictions], Partition]
    reduce: Callable[[Floats, Ints], Floats]
    group_labels_used: Literal["none", "validation"] = "none"
    reads_features: bool = False

    def scores(self, right: Floats | Bools, partition: Partition) -> Floats:
        """Return the scores [...] of candidates by their right rows [..., M] in this rule's cells."""
        return self.reduce(partition.rates(right), partition.classes)


def mean(rates: Floats, _classes: Ints) -> Floats:
    """Return the mean over cells."""
    out: Floats = rates.mean(axis=-1)
    return out


def smallest(rates: Floats, _classes: Ints) -> Floats:
    """Return the smallest over cells."""
    out: Floats = rates.min(axis=-1)
    return out


def worst_class_mean(rates: Floats, classes: Ints) -> Floats:
    """Return the smallest over classes of the mean over a class's cells."""
    out: Floats = np.min([rates[..., classes == c].mean(axis=-1) for c in np.unique(classes)], axis=0)
    return out


def everything(judged: HeldOutPredictions) -> Partition:
    """Return one cell of all rows."""
    return Partition((np.arange(len(judged.y)),), np.array([-1]))


def by_class(judged: HeldOutPredictions) -> Partition:
    """Return one cell per class."""
    return Partition.of(judged.y, np.zeros_like(judged.y))


def by_erm_error(judged: HeldOutPredictions) -> Partition:
    """Return the cells class × (ERM right or wrong)."""
    return Partition.of(judged.y, (judged.erm == judged.y).astype(np.int64), MIN_ROWS)


def by_shortcut(judged: HeldOutPredictions) -> Partition:
    """Return the cells class × (class that the shortcut probe takes the row for)."""
    return Partition.of(judged.y, judged.shortcut, MIN_ROWS)


def by_cluster(judged: HeldOutPredictions) -> Partition:
    """Return the cells class × cluster of the pretrained embeddings, small clusters merged.

    Raises
    ------
    EvenhandError
        If the embeddings were not kept.
    """
    if judged.z is None:
        raise EvenhandError("clusters need the embeddings z of the judged rows and none came; give them")
    return Partition.of(judged.y, class_clusters(judged.z, judged.y, clusters=4, min_rows=20))


def by_environment(judged: HeldOutPredictions) -> Partition:
    """Return the cells class × environment inferred from ERM's logits."""
    return Partition.of(judged.y, infer_environments(judged.erm_logits, judged.y), MIN_ROWS)


def by_group(judged: HeldOutPredictions) -> Partition:
    """Return one cell per known group.

    Raises
    ------
    EvenhandError
        If groups are unknown.
    """
    if judged.groups is None:
        raise EvenhandError(
            "selection by worst_group needs the group labels of the validation rows and none came; "
            "give them, or choose a label-free rule such as shortcut_cell"
        )
    return Partition.of(judged.y, judged.groups)


ACCURACY = Rule("accuracy", everything, mean)
"""Plain accuracy. Nearly blind to the worst group; here for comparison."""

WORST_CLASS = Rule("worst_class", by_class, smallest)
"""Worst accuracy over classes (the rule of SubpopBench)."""

WORST_CELL = Rule("worst_cell", by_erm_error, smallest)
"""Worst accuracy over class × (ERM right or wrong)."""

BALANCED_CELL = Rule("balanced_cell", by_erm_error, worst_class_mean)
"""The mean of a class's two accuracies where ERM is right and wrong; the worst class of that."""

SHORTCUT_CELL = Rule("shortcut_cell", by_shortcut, mean)
"""Mean accuracy over class × (what a shortcut probe takes the row for): the default.

The probe reads what goes with the classes but does not name them, so its guess stands in for the spurious
attribute. Cells do not depend on ERM's errors, so chance flips gain nothing in them.
"""

WORST_SHORTCUT_CELL = Rule("worst_shortcut_cell", by_shortcut, smallest)
"""Worst accuracy over the same cells."""

WORST_CLUSTER = Rule("worst_cluster", by_cluster, smallest, reads_features=True)
"""Worst accuracy over class × cluster of the pretrained embeddings."""

WORST_ENVIRONMENT = Rule("worst_environment", by_environment, smallest)
"""Worst accuracy over class × environment inferred from ERM's logits (the rule of EVaLS)."""

WORST_GROUP = Rule("worst_group", by_group, smallest, "validation")
"""The oracle: worst accuracy over the known groups."""

RULES = {
    rule.name: rule
    for rule in (
        ACCURACY,
        WORST_CLASS,
        WORST_CELL,
        BALANCED_CELL,
        SHORTCUT_CELL,
        WORST_SHORTCUT_CELL,
        WORST_CLUSTER,
        WORST_ENVIRONMENT,
        WORST_GROUP,
    )
}
"""Every rule by name."""


def find_rule(name: str) -> Rule:
    """Return the rule of that name.

    Raises
    ------
    EvenhandError
        If there is none.
    """
    if name not in RULES:
        raise EvenhandError(f"selection: {name!r} is unknown; the rules are {', '.join(RULES)}")
    return RULES[name]
