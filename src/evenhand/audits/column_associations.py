"""Which columns of the rows go with the label: confounded, inflated or clean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from sklearn.decomposition import PCA

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats, Ints, Strings
from evenhand.audits.blind_probe import balanced_rate, own_margins, read_scores, ridge_scores
from evenhand.audits.rare_values import by_typical_class
from evenhand.data.attributes import is_copy
from evenhand.data.binned import FEWEST, coded, quartiles
from evenhand.data.table import FeatureTable
from evenhand.functional.association import association_interval
from evenhand.functional.intervals import paired_interval

LEVEL = 0.05
"""Chance that any interval of any column misses its value."""
ASSOCIATED = 0.1
"""Cramér's V above which a column goes with the label: a weak association in the usual terms."""
FALLS = 0.01
"""Fall of the accuracy where values are held out above which a column inflates it."""
COMPONENTS = 64
"""Principal components of the embeddings that are looked at."""
USUAL = 1.0
"""Ridge penalty of the probe for the label, weaker than that of the probe that keeps to one cue."""
FINER = "; every class has its own values, so it may be a finer name of the class"
FILE_TYPE, FOLDER = "file type", "folder"


class Bounded(BaseModel):
    """A figure with its interval, which is corrected for the number of columns."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float


class ColumnAssociation(BaseModel):
    """How a column of the training rows goes with the label.

    n, values: rows where it is known, and its values, of which rare ones count by the class that is typical
    of each. association: bias-corrected Cramér's V with the label.
    readable: balanced accuracy of a cross-validated probe that reads the value from embeddings *within*
    classes; chance: what a probe that reads the class alone would have. Both are None if no class has two
    values. fall: accuracy of a probe for the label on rows of a value whose like it trained on, minus that on
    the same rows where the value was held out; None if holding out a value leaves a class without rows.
    verdict: `confounded`: it goes with the label and is readable within classes, or cannot be separated from
    the label; `inflated`: accuracy falls where it is held out; else `clean`. sentence: why, in plain words.
    finer: whether a confounded column has two values or more for each class that no other class has, so that
    it may be a finer name of the class.
    """

    model_config = ConfigDict(frozen=True)

    column: str
    n: int
    values: int
    association: Bounded
    readable: Bounded | None
    chance: float | None
    fall: Bounded | None
    verdict: Literal["confounded", "inflated", "clean"]
    sentence: str
    finer: bool = False


@dataclass(frozen=True)
class Column:
    """A column as it is measured.

    values: how many it has. own: int64 [N], their codes, where words beyond the most frequent count as one.
    codes: int64 [N], the same, but rare words count by their typical class. −1 is unknown.
    """

    name: str
    values: int
    own: Ints
    codes: Ints

    def __str__(self) -> str:
        if np.array_equal(self.own, self.codes):
            return self.name
        return f"{self.name} ({self.values} values; each rare one counts as its most frequent class)"


def column_associations(table: FeatureTable, rows: Ints, z: Floats, seed: int) -> list[ColumnAssociation]:
    """Look at every column of the training rows, the strongest association first.

    Parameters
    ----------
    table : FeatureTable
        Rows of the store.
    rows : int64 [N]
        Training rows.
    z : float32 [N, D]
        Their embeddings.
    seed : int
        Seed of folds and resamples.
    """
    columns = list(usable_columns(table, rows, seed))
    # A column costs up to forty fits: on the main components each takes milliseconds.
    z = PCA(min(COMPONENTS, *z.shape), svd_solver="covariance_eigh").fit_transform(z) if columns else z
    confidence = 1 - LEVEL / max(1, len(columns))
    found = [column_association(column, table.y[rows], z, confidence, seed) for column in columns]
    return sorted(found, key=lambda one: -one.association.value)


def usable_columns(table: FeatureTable, rows: Ints, seed: int) -> Iterator[Column]:
    """Yield columns of two values or more that are not a copy of the label."""
    labels = table.labels(rows)
    of_paths = {} if not (table.paths[rows] != "").all() else _of_paths(table.paths[rows])
    given = {name: values[rows] for name, values in {**table.properties, **table.attributes}.items()}
    for name, values in {**of_paths, **given}.items():
        if name in of_paths and is_copy(values, labels):
            continue
        values = quartiles(values)
        rare = by_typical_class(values, table.y[rows], numpy_stream(seed, "rare values", name))
        codes = coded(values, rare)
        if codes.max(initial=-1) > 0:
            yield Column(name, len(np.unique(values[values != ""])), coded(values), codes)


def _of_paths(paths: Strings) -> Mapping[str, Strings]:
    """Return the file type and the folder of each path."""
    pure = [PurePath(path) for path in paths.tolist()]
    return {
        FILE_TYPE: np.array([path.suffix.lower() for path in pure]),
        FOLDER: np.array([path.parent.name for path in pure]),
    }


def column_association(column: Column, y: Ints, z: Floats, confidence: float, seed: int) -> ColumnAssociation:
    """Measure one column.

    Parameters
    ----------
    column : Column
        Name and values of the column.
    y : int64 [N]
        Codes of the labels.
    z : float32 [N, D]
        Embeddings.
    confidence : float
        Two-sided level of each interval.
    seed : int
        Seed of folds and resamples.
    """
    codes, known = column.codes, column.codes >= 0
    value, label, rows = codes[known], np.unique(y[known], return_inverse=True)[1], z[known]
    generator = numpy_stream(seed, "columns", column.name)
    v, low, high = association_interval(value, label, confidence, generator)
    read = _readable(rows, value, label, confidence, seed)
    fall = _fall(rows, value, label, confidence, generator)
    goes = low > ASSOCIATED
    inflated = fall is not None and fall.low > FALLS
    confounded = goes and (read is None or read[0].low > read[1])
    finer = confounded and _is_finer(column.own[column.own >= 0], y[column.own >= 0])
    return ColumnAssociation(
        column=column.name,
        n=int(known.sum()),
        values=column.values,
        association=Bounded(value=v, low=low, high=high),
        readable=None if read is None else read[0],
        chance=None if read is None else read[1],
        fall=fall,
        verdict="confounded" if confounded else "inflated" if inflated else "clean",
        sentence=f"{column}: {_why(goes, confounded, inflated, read, fall)}{FINER if finer else ''}",
        finer=finer,
    )


def _is_finer(value: Ints, label: Ints) -> bool:
    """Return whether every class has two values or more that no other class has, as species of birds."""
    pairs = np.unique(np.stack([value, label]), axis=1)
    own = np.bincount(pairs[0])[pairs[0]] == 1
    return bool((np.bincount(pairs[1][own], minlength=int(label.max()) + 1) >= 2).all())


def _why(
    goes: bool, confounded: bool, inflated: bool, read: tuple[Bounded, float] | None, fall: Bounded | None
) -> str:
    if confounded and read is None:
        return "goes with the label; too few rows of a class have another value to separate the two"
    if confounded and read is not None:
        return (
            f"goes with the label, and can be predicted within a class ({100 * read[0].value:.0f} % "
            f"correct, {100 * read[1]:.0f} % by chance)"
        )
    if inflated and fall is not None:
        return f"accuracy drops by {100 * fall.value:.1f} points on held-out values"
    if goes:
        return "goes with the label, but cannot be predicted within a class"
    return "does not go with the label"


def _readable(
    z: Floats, value: Ints, label: Ints, confidence: float, seed: int
) -> tuple[Bounded, float] | None:
    """Return how well the value is read within classes, and the chance level of reading the class alone."""
    cells = label * (int(value.max()) + 1) + value
    enough = np.bincount(cells)[cells] >= FEWEST
    of_class = {c: len(np.unique(value[enough & (label == c)])) for c in np.unique(label)}
    rows = enough & np.isin(label, [c for c, count in of_class.items() if count >= 2])
    if not rows.any():
        return None
    target = np.unique(value[rows], return_inverse=True)[1]
    right = own_margins(read_scores(z[rows], target, cells[rows], seed), target) > 0
    rate = balanced_rate("readable", right, cells[rows], confidence)
    chance = len(np.unique(label[rows])) / len(np.unique(cells[rows]))
    return Bounded(value=rate.value or 0.0, low=rate.low or 0.0, high=rate.high or 0.0), chance


def _fall(
    z: Floats, value: Ints, label: Ints, confidence: float, generator: np.random.Generator
) -> Bounded | None:
    """Return how much accuracy falls where a value is held out, over all rows of values that can be.

    The probe that trained on rows of the same value sees as many rows of each class as the other probe.
    """
    before, after = [], []
    for one in np.unique(value):
        inside = value == one
        if len(np.unique(label[~inside])) < int(label.max()) + 1:
            continue
        after.append(_right(z, label, ~inside, inside))
        before.append(_like(z, label, inside, generator))
    if not before:
        return None
    a, b = np.concatenate(before).astype(float), np.concatenate(after).astype(float)
    low, high = paired_interval(b, a, confidence)
    return Bounded(value=float((a - b).mean()), low=low, high=high)


def _like(z: Floats, label: Ints, inside: Bools, generator: np.random.Generator) -> Bools:
    """Return which rows of a value are right when the probe also trained on other rows of the value."""
    right = np.zeros(int(inside.sum()), dtype=bool)
    second = np.zeros(len(label), dtype=bool)
    second[generator.permutation(np.flatnonzero(inside))[: int(inside.sum()) // 2]] = True
    for tested in (inside & second, inside & ~second):
        train = np.zeros(len(label), dtype=bool)
        for code in np.unique(label):
            free = np.flatnonzero(~tested & (label == code))
            train[generator.permutation(free)[: int((~inside & (label == code)).sum())]] = True
        right[tested[inside]] = _right(z, label, train, tested)
    return right


def _right(z: Floats, label: Ints, train: Bools, tested: Bools) -> Bools:
    scores = ridge_scores(z, label, label, train, tested, strength=USUAL)
    right: Bools = own_margins(scores, label[tested]) > 0
    return right
