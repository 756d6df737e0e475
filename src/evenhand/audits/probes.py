"""How well an attribute is read from embeddings, and how far predictions follow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evenhand._random import child_seed, numpy_stream
from evenhand._typing import Bools, Floats, Ints, Strings
from evenhand.audits.blind_probe import balanced_rate, own_margins
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.findings import ModelProbe, Probe, Slice
from evenhand.audits.named_slices import leading_words
from evenhand.audits.naming import beside_classes
from evenhand.audits.text_tower import TextTower
from evenhand.evaluation.accuracy import Rate, rate
from evenhand.functional.shift import attribute_shift, exchanged
from evenhand.methods._training.model import Model

ROWS = 4_000
"""Rows that are probed; a larger set is sampled with the seed."""
WORDS = 3
"""Words of slices that are probed like attributes."""
FEWEST = 10
"""Rows of each cell class × attribute that a class needs in either half, or it is left out."""
VALUES = 8
"""Most frequent values of an attribute that are probed."""
FOLDS = 5


@dataclass(frozen=True)
class EmbeddedModel:
    """An audited model with its unit embeddings z, float32 [N, D_out], of the rows that are probed."""

    name: str
    model: Model
    z: Floats


@dataclass(frozen=True)
class BinaryAttribute:
    """Rows with and without a value of an attribute.

    Attributes
    ----------
    attribute, value : str
        As in `Probe`.
    known : bool
        Whether labels of it exist.
    has : int64 [N]
        1 with the value, 0 without it, −1 if unknown.
    """

    attribute: str
    value: str
    known: bool
    has: Ints


def probe_attributes(
    models: EvaluatedModels, slices: Sequence[Slice], tower: TextTower | None, seed: int
) -> list[Probe]:
    """Probe the known attributes, and the leading words of the first model's slices."""
    table, rows = models.table, models.rows
    some = np.sort(numpy_stream(seed, "audit", "probes").permutation(len(rows.y))[:ROWS])
    numbers, y, finds = rows.numbers[some], rows.y[some], rows.finds[some]
    attributes = list(known_attributes({name: values[numbers] for name, values in table.attributes.items()}))
    if tower is not None:
        words = leading_words(slices, models.audited[0].name, WORDS)
        vectors = tower.embedded[[tower.vocabulary.words.index(word) for word in words]]
        z, vectors = (beside_classes(v, table.head.text) for v in (rows.z[some], vectors))
        attributes += word_attributes(z, y, words, vectors)
    X = table.features(numbers)
    embedded = [EmbeddedModel(stage.name, stage.model, stage.model.embed(X)) for stage in models.audited]
    found = (probe(one, embedded, y, finds, seed) for one in attributes)
    return [one for one in found if one is not None]


def known_attributes(attributes: Mapping[str, Strings]) -> Iterator[BinaryAttribute]:
    """Yield each value of each attribute [N] against the others; of two values only the first."""
    for name, of_rows in attributes.items():
        values, counts = np.unique(of_rows[of_rows != ""], return_counts=True)
        if len(values) < 2:
            continue
        kept = values[np.sort(np.argsort(-counts, kind="stable")[:VALUES])]
        for value in kept[: 1 if len(values) == 2 else None]:
            has = np.where(of_rows == "", -1, of_rows == value).astype(np.int64)
            yield BinaryAttribute(name, str(value), True, has)


def word_attributes(z: Floats, y: Ints, words: Sequence[str], embedded: Floats) -> Iterator[BinaryAttribute]:
    """Yield, for each word, the outer thirds of its similarity to z [N, D] within each class y [N]."""
    for word, vector in zip(words, embedded, strict=True):
        similarity = z @ vector
        has = np.full(len(y), -1, dtype=np.int64)
        for code in np.unique(y):
            rows = np.flatnonzero(y == code)
            third = len(rows) // 3
            order = rows[np.argsort(similarity[rows], kind="stable")]
            has[order[:third]] = 0
            has[order[len(order) - third :]] = 1
        yield BinaryAttribute("word", word, False, has)


def probe(
    attribute: BinaryAttribute, models: Sequence[EmbeddedModel], y: Ints, finds: Bools, seed: int
) -> Probe | None:
    """Probe one attribute in every model.

    Parameters
    ----------
    attribute : BinaryAttribute
        Which rows have it.
    models : sequence of EmbeddedModel
        The audited models, before first.
    y : int64 [N]
        Class codes.
    finds : bool [N]
        The rows that estimate the shift of the attribute; the others are shifted.
    seed : int
        Seed of the folds.

    Returns
    -------
    Probe or None
        None if no class has enough rows with and without the attribute.
    """
    value = attribute.has
    enough = [
        code
        for code in np.unique(y)
        if min(((y == code) & (value == v) & (finds == f)).sum() for v in (0, 1) for f in (True, False))
        >= FEWEST
    ]
    rows = np.flatnonzero((value >= 0) & np.isin(y, enough))
    if not len(rows):
        return None
    has = value[rows] == 1
    measured = [_measure(one, rows, y[rows], has, finds[rows], seed) for one in models]
    return Probe(
        attribute=attribute.attribute,
        value=attribute.value,
        known=attribute.known,
        n=len(rows),
        sides=measured,
        sentence=_sentence(attribute, measured),
    )


def _measure(embedded: EmbeddedModel, rows: Ints, y: Ints, has: Bools, finds: Bools, seed: int) -> ModelProbe:
    z = embedded.z[rows]
    shift = attribute_shift(z[finds], y[finds], has[finds])
    assert shift is not None, "every remaining class has both kinds of rows"
    tests = ~finds
    before, after = (
        embedded.model.logits_of(torch.from_numpy(np.ascontiguousarray(part))).numpy()
        for part in (z[tests], exchanged(z[tests], has[tests], shift))
    )
    return ModelProbe(
        model=embedded.name,
        readable=_readable(z, y, has, seed),
        flipped=rate("flipped", before.argmax(axis=1) != after.argmax(axis=1)),
        margin_change=float(np.abs(own_margins(after, y[tests]) - own_margins(before, y[tests])).mean()),
    )


def _readable(z: Floats, y: Ints, has: Bools, seed: int) -> Rate:
    """Return the balanced accuracy of a cross-validated probe: the mean over the cells class × attribute.

    Cells count alike in training and in the mean, so that reading the class alone gives 0.5.
    """
    cell = 2 * y + has
    cells, place, counts = np.unique(cell, return_inverse=True, return_counts=True)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=child_seed(seed, "probe") % 2**32)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    weights = {"logisticregression__sample_weight": 1 / counts[place] * len(z) / len(cells)}
    # Folds by cell: scikit-learn stratifies by what is learned, which is the attribute alone.
    found = cross_val_predict(model, z, has, cv=list(folds.split(z, cell)), params=weights)
    return balanced_rate("readable", found == has, cell)


def _sentence(attribute: BinaryAttribute, sides: Sequence[ModelProbe]) -> str:
    name = f"{attribute.attribute} {attribute.value}" if attribute.known else f"*{attribute.value}*"
    parts = [
        f"{100 * (side.flipped.value or 0):.0f} % of {side.model}'s predictions change" for side in sides
    ]
    return f"{name}: if it is swapped in the embedding, {', '.join(parts)}"
