"""What goes with the label in the training rows, whether or not a model errs: words and columns.

Slices look for errors. A shortcut that holds in every row causes none, but is found here all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.stats import norm

from evenhand._random import numpy_stream
from evenhand._typing import Floats, Ints
from evenhand.audits.blind_probe import balanced_rate, own_margins, read_scores
from evenhand.audits.column_associations import ColumnAssociation, column_associations
from evenhand.audits.naming import beside_classes
from evenhand.audits.text_tower import TextTower
from evenhand.audits.word_fit import why_unfit
from evenhand.data.table import FeatureTable
from evenhand.evaluation.accuracy import Rate
from evenhand.functional.class_contrast import class_contrast
from evenhand.methods._training.model import Model

ROWS = 4_000
"""Training rows that are looked at; a larger set is sampled with the seed."""
TOP = 5
"""Words of a class."""
LEAST = 0.5
"""Smallest difference, in standard deviations within classes, that surely counts: half of one."""
LEVEL = 0.05
"""Probability that a word is said to go with the label although none differs by more than `LEAST`."""
SHOWN = 48
"""Contradicting rows that are listed."""


class WordAssociation(BaseModel):
    """A word that images of a class share beyond the name of the class.

    difference: mean similarity of the class minus that of the other classes, in standard deviations within
    classes, after the directions of the class names are taken out of images and words. low: its lower bound,
    corrected for the number of words and classes. goes_with_label: whether `low` is above 0.5.
    """

    model_config = ConfigDict(frozen=True)

    label: str
    word: str
    difference: float
    low: float
    goes_with_label: bool


class Legibility(BaseModel):
    """How well the label is read with and without the class names, and the rows that contradict the latter.

    by_names: balanced accuracy of the class names alone (zero-shot). without_names: that of a cross-validated
    probe on embeddings without the directions of the class names. contradicting: rows that this probe takes
    for another class. contradicting_rows: their row numbers in the store, the surest first, at most 48;
    taken_for: the classes that it takes these for.
    """

    model_config = ConfigDict(frozen=True)

    by_names: Rate
    without_names: Rate
    contradicting: int
    contradicting_rows: tuple[int, ...]
    taken_for: tuple[str, ...]


class Associations(BaseModel):
    """What goes with the label in the training rows. It does not prove a shortcut.

    n: rows that were looked at. words: at most five of each class, class by class, best first; empty if
    there is no text tower. no_words: why words say nothing about these images, though there may be some in
    `words`; None if they may. unfit: the same, where the class names do not find their own images, so that
    no word names a slice either. legibility: None without class names in text, or where they span too much of
    the space. sentence: the words that go with the label, in one sentence. columns: every column of the rows
    that is not a copy of the label, the strongest association first.
    """

    model_config = ConfigDict(frozen=True)

    n: int
    words: tuple[WordAssociation, ...] = ()
    no_words: str | None = None
    unfit: str = ""
    legibility: Legibility | None = None
    sentence: str = ""
    columns: tuple[ColumnAssociation, ...] = ()

    def sure_words(self) -> dict[str, list[str]]:
        """Return the words that go with each label, best first; empty if words say nothing."""
        found: dict[str, list[str]] = {}
        for one in self.words:
            if one.goes_with_label and self.no_words is None:
                found.setdefault(one.label, []).append(one.word)
        return found


def find_associations(
    table: FeatureTable, zero_shot: Model, tower: TextTower | None, no_tower: str, *, seed: int
) -> Associations:
    """Look at the training rows of a table.

    Parameters
    ----------
    table : FeatureTable
        The store. Words use no group labels.
    zero_shot : Model
        The pretrained model, which embeds the rows.
    tower : TextTower or None
        Embedded words.
    no_tower : str
        Why there is none, or why it has no words.
    seed : int
        Seed of the sample and of the folds.
    """
    rows = _sample(table, seed)
    y, n_classes = table.y[rows], len(table.classes)
    if len(rows) <= n_classes:
        return _with_sentence(
            Associations(n=len(rows), no_words=no_tower or "there are too few training rows")
        )
    z = zero_shot.embed(table.stored(rows))
    columns = tuple(column_associations(table, rows, z, seed))
    text = table.head.text
    if text is None:
        return _with_sentence(Associations(n=len(rows), no_words=no_tower, columns=columns))
    by_names = balanced_rate("by_names", (z @ text.T).argmax(axis=1) == y, y)
    beside = beside_classes(z, text)
    unfit = "" if tower is None else why_unfit(by_names, n_classes)
    words: tuple[WordAssociation, ...] = ()
    why = no_tower or unfit
    if beside is z:
        why = "the class names span too much of the embedding space to remove their directions"
    elif tower is not None:
        directions = beside_classes(tower.embedded, text)
        words = word_associations(beside, y, table.classes, tower.vocabulary.words, directions)
    read = None if beside is z else _legibility(table, beside, rows, by_names, seed)
    return _with_sentence(
        Associations(
            n=len(rows), words=words, no_words=why or None, unfit=unfit, legibility=read, columns=columns
        )
    )


def word_associations(
    z: Floats, y: Ints, classes: Sequence[str], words: Sequence[str], embedded: Floats
) -> tuple[WordAssociation, ...]:
    """Return at most `TOP` words of each class, best first, that its rows share more than other classes.

    Parameters
    ----------
    z : float32 [N, D]
        Rows without the directions of the class names.
    y : int64 [N]
        Codes. A class without rows has no words.
    classes : sequence of C str
        Class names.
    words : sequence of V str
        The vocabulary.
    embedded : float32 [V, D]
        Its embeddings, also without the directions of the class names.
    """
    present, codes = np.unique(y, return_inverse=True)
    if len(present) < 2 or not len(words):
        return ()
    d, se = class_contrast(z, codes, embedded, len(present))
    low = d - norm.ppf(1 - LEVEL / d.size) * se
    return tuple(
        WordAssociation(
            label=classes[code],
            word=words[k],
            difference=float(d[place, k]),
            low=float(low[place, k]),
            goes_with_label=bool(low[place, k] > LEAST),
        )
        for place, code in enumerate(present)
        for k in np.argsort(-d[place], kind="stable")[:TOP]
        if d[place, k] > 0
    )


def _sample(table: FeatureTable, seed: int) -> Ints:
    rows = table.rows("train")
    return np.sort(numpy_stream(seed, "audit", "associations").permutation(rows)[:ROWS])


def _legibility(
    table: FeatureTable, beside: Floats, rows: Ints, by_names: Rate, seed: int
) -> Legibility | None:
    enough = np.bincount(table.y[rows])[table.y[rows]] >= 2
    rows = rows[enough]
    present, codes = np.unique(table.y[rows], return_inverse=True)
    if len(present) < 2:
        return None
    scores = read_scores(beside[enough], codes, codes, seed)
    margins = own_margins(scores, codes)
    against = np.flatnonzero(margins < 0)
    surest = against[np.argsort(margins[against], kind="stable")[:SHOWN]]
    return Legibility(
        by_names=by_names,
        without_names=balanced_rate("without_names", margins > 0, codes),
        contradicting=len(against),
        contradicting_rows=tuple(rows[surest].tolist()),
        taken_for=tuple(table.classes[code] for code in present[scores[surest].argmax(axis=1)]),
    )


def _with_sentence(found: Associations) -> Associations:
    sure = found.sure_words().items()
    if sure:
        said = (f"{label}: {', '.join(f'*{word}*' for word in words[:3])}" for label, words in sure)
        text = f"beyond the class names, these words go with the label: {'; '.join(said)}"
    elif found.no_words is None:
        text = "no word goes with the label beyond the class names"
    else:
        text = f"words do not show what goes with the label: {found.no_words}"
    return found.model_copy(update={"sentence": text})
