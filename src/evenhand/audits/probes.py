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

from evenhand._random import child_seed
from evenhand._typing import Bools, Floats, Ints, Strings
from evenhand.audits.findings import Probe, ProbeSide
from evenhand.evaluation.metrics import Rate, rate
from evenhand.functional.geometry import cosine_logits
from evenhand.functional.intervals import weighted_interval
from evenhand.functional.shift import attribute_shift, exchanged

FEWEST = 10
"""Rows that each cell class × attribute needs in either half, or its class is left out."""
VALUES = 8
"""Most frequent values of an attribute that are probed."""
FOLDS = 5


@dataclass(frozen=True)
class ProbedModel:
    """One audited model on the rows that are probed.

    Attributes
    ----------
    name : str
        Of the model.
    z : float32 [N, D_out]
        Its unit embeddings.
    prototypes, intercept, scale : float32 [C, D_out], float32 [C], float
        logits = scale · z · prototypes + intercept.
    """

    name: str
    z: Floats
    prototypes: Floats
    intercept: Floats
    scale: float

    def logits(self, z: Floats) -> Floats:
        """Return [N, C] of embeddings z [N, D_out]."""
        z_, t = torch.from_numpy(np.ascontiguousarray(z)), torch.from_numpy(self.prototypes)
        return np.asarray(cosine_logits(z_, t, self.scale).numpy() + self.intercept)


@dataclass(frozen=True)
class Marked:
    """Rows with and without an attribute.

    Attributes
    ----------
    attribute, value : str
        As in `Probe`.
    known : bool
        Whether labels of it exist.
    has : int64 [N]
        1, 0, or −1 where unknown.
    """

    attribute: str
    value: str
    known: bool
    has: Ints


def known_attributes(attributes: Mapping[str, Strings]) -> Iterator[Marked]:
    """Yield each value of each column [N] against the others; of two values the first stands for both."""
    for name, column in attributes.items():
        values, counts = np.unique(column[column != ""], return_counts=True)
        if len(values) < 2:
            continue
        kept = values[np.sort(np.argsort(-counts, kind="stable")[:VALUES])]
        for value in kept[: 1 if len(values) == 2 else None]:
            yield Marked(name, str(value), True, np.where(column == "", -1, column == value).astype(np.int64))


def word_attributes(z: Floats, y: Ints, words: Sequence[str], embedded: Floats) -> Iterator[Marked]:
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
        yield Marked("word", word, False, has)


def probe(marked: Marked, sides: Sequence[ProbedModel], y: Ints, finds: Bools, seed: int) -> Probe | None:
    """Probe one attribute in every model; None where no class has enough rows with and without it.

    Parameters
    ----------
    marked : Marked
        The attribute.
    sides : sequence of ProbedModel
        Before first.
    y : int64 [N]
        Codes.
    finds : bool [N]
        Rows that estimate the shift; the others are moved by it.
    seed : int
        Of the folds.
    """
    enough = [
        code
        for code in np.unique(y)
        if min(((y == code) & (marked.has == v) & (finds == f)).sum() for v in (0, 1) for f in (True, False))
        >= FEWEST
    ]
    rows = np.flatnonzero((marked.has >= 0) & np.isin(y, enough))
    if not len(rows):
        return None
    has = marked.has[rows] == 1
    measured = [_side(side, rows, y[rows], has, finds[rows], seed) for side in sides]
    return Probe(
        attribute=marked.attribute,
        value=marked.value,
        known=marked.known,
        n=len(rows),
        sides=measured,
        sentence=_sentence(marked, measured),
    )


def _side(side: ProbedModel, rows: Ints, y: Ints, has: Bools, finds: Bools, seed: int) -> ProbeSide:
    z = side.z[rows]
    shift = attribute_shift(z[finds], y[finds], has[finds])
    assert shift is not None, "every class that is left has both kinds of rows"
    tests = ~finds
    before, after = side.logits(z[tests]), side.logits(exchanged(z[tests], has[tests], shift))
    return ProbeSide(
        model=side.name,
        readable=_readable(z, y, has, seed),
        flipped=rate("flipped", before.argmax(axis=1) != after.argmax(axis=1)),
        margin_change=float(np.abs(_margin(after, y[tests]) - _margin(before, y[tests])).mean()),
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
    rates = [rate(str(c), (found == has)[cell == c]) for c in cells]
    values, lows, highs = (
        np.array([getattr(r, name) for r in rates], dtype=float) for name in ("value", "low", "high")
    )
    even = np.full(len(cells), 1 / len(cells))
    low, high = weighted_interval(values, lows, highs, even)
    return Rate(name="readable", n=len(z), value=float(values.mean()), low=low, high=high)


def _margin(logits: Floats, y: Ints) -> Floats:
    own = logits[np.arange(len(y)), y]
    others = logits.copy()
    others[np.arange(len(y)), y] = -np.inf
    margin: Floats = own - others.max(axis=1)
    return margin


def _sentence(marked: Marked, sides: Sequence[ProbeSide]) -> str:
    name = f"{marked.attribute} {marked.value}" if marked.known else f"*{marked.value}*"
    parts = [
        f"{100 * (side.flipped.value or 0):.0f} % of {side.model}'s predictions change" for side in sides
    ]
    return f"{name}: exchange it in the embedding, and {', '.join(parts)}"
