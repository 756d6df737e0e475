"""Selection rules: one score per candidate, from the rows that it classifies correctly.

A rule divides the held-out rows into cells and reduces the accuracies in them to one number. All rules but
`WORST_GROUP` are label-free. `WORST_GROUP` is the oracle to compare them with, and declares its group labels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from evenhand._errors import EvenhandError, NotAllowedError
from evenhand._typing import Bools, Floats, Ints
from evenhand.functional.clusters import class_clusters
from evenhand.selection.cells import Partition
from evenhand.selection.environments import infer_environments
from evenhand.selection.held_out import HeldOutPredictions

MIN_ROWS = 5
"""Inferred cells with fewer rows do not count."""


@dataclass(frozen=True)
class Rule:
    """Score of a candidate on held-out rows; larger is better.

    Attributes
    ----------
    name : str
        Name in the registry and in every table.
    partition : callable
        Function from `HeldOutPredictions` to a `Partition`.
    reduce : callable
        Function from the accuracies [..., G] in the cells and the cells' classes [G] to scores [...].
    group_labels_used : "none" or "validation", default="none"
        Which group labels the cells depend on.
    reads_features : bool, default=False
        Whether the cells depend on the embeddings; they are stored only for such rules.
    """

    name: str
    partition: Callable[[HeldOutPredictions], Partition] = field(repr=False)
    reduce: Callable[[Floats, Ints], Floats] = field(repr=False)
    group_labels_used: Literal["none", "validation"] = "none"
    reads_features: bool = False

    def scores(self, right: Floats | Bools, partition: Partition) -> Floats:
        """Return the scores [...] of candidates that are correct where `right` [..., M] is True."""
        return self.reduce(partition.rates(right), partition.classes)


def mean(rates: Floats, _classes: Ints) -> Floats:
    """Return the mean over cells, [...]."""
    out: Floats = rates.mean(axis=-1)
    return out


def smallest(rates: Floats, _classes: Ints) -> Floats:
    """Return the minimum over cells, [...]."""
    out: Floats = rates.min(axis=-1)
    return out


def worst_class_mean(rates: Floats, classes: Ints) -> Floats:
    """Return the minimum over classes of the mean over the cells of a class, [...]."""
    out: Floats = np.min([rates[..., classes == c].mean(axis=-1) for c in np.unique(classes)], axis=0)
    return out


def everything(held_out: HeldOutPredictions) -> Partition:
    """Return a single cell that holds all rows."""
    return Partition((np.arange(len(held_out.y)),), np.array([-1]))


def by_class(held_out: HeldOutPredictions) -> Partition:
    """Return one cell per class."""
    return Partition.of(held_out.y, np.zeros_like(held_out.y))


def by_erm_error(held_out: HeldOutPredictions) -> Partition:
    """Return the cells class × (ERM is correct or not)."""
    return Partition.of(held_out.y, (held_out.erm == held_out.y).astype(np.int64), MIN_ROWS)


def by_shortcut(held_out: HeldOutPredictions) -> Partition:
    """Return the cells class × (class that the shortcut probe predicts)."""
    return Partition.of(held_out.y, held_out.shortcut, MIN_ROWS)


def by_cluster(held_out: HeldOutPredictions) -> Partition:
    """Return the cells class × cluster of the pretrained embeddings, small clusters merged.

    Raises
    ------
    EvenhandError
        If `held_out.z` is None.
    """
    if held_out.z is None:
        raise EvenhandError("clusters need the embeddings z of the held-out rows, but z is None; give them")
    return Partition.of(held_out.y, class_clusters(held_out.z, held_out.y, clusters=4, min_rows=20))


def by_environment(held_out: HeldOutPredictions) -> Partition:
    """Return the cells class × environment inferred from ERM's logits."""
    return Partition.of(held_out.y, infer_environments(held_out.erm_logits, held_out.y), MIN_ROWS)


def by_group(held_out: HeldOutPredictions) -> Partition:
    """Return one cell per known group.

    Raises
    ------
    EvenhandError
        If `held_out.groups` is None.
    """
    if held_out.groups is None:
        raise EvenhandError(
            "selection by worst_group needs the group labels of the validation rows, but there are none; "
            "give them, or choose a label-free rule such as shortcut_cell"
        )
    return Partition.of(held_out.y, held_out.groups)


ACCURACY = Rule("accuracy", everything, mean)
"""Plain accuracy. It hardly sees the worst group; it is here for comparison."""

WORST_CLASS = Rule("worst_class", by_class, smallest)
"""Worst accuracy over classes (the rule of SubpopBench)."""

WORST_CELL = Rule("worst_cell", by_erm_error, smallest)
"""Worst accuracy over class × (ERM is correct or not)."""

BALANCED_CELL = Rule("balanced_cell", by_erm_error, worst_class_mean)
"""Worst class, each scored by the mean of its accuracy where ERM is correct and where it is not."""

SHORTCUT_CELL = Rule("shortcut_cell", by_shortcut, mean)
"""Mean accuracy over class × (class that the shortcut probe predicts): the default.

The probe reads what is correlated with the classes but is not in their names. Its prediction stands in for
the spurious attribute. The cells do not depend on ERM's errors, so random flips gain nothing in them.
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
    """Return the selection rule with this name.

    Parameters
    ----------
    name : str
        A key of `RULES`.

    Raises
    ------
    EvenhandError
        If there is no such rule.

    Examples
    --------
    >>> find_rule("shortcut_cell").group_labels_used
    'none'
    """
    if name not in RULES:
        raise NotAllowedError.of("selection", name, RULES)
    return RULES[name]
