"""Slices of audited models: found, tested, named, matched with known groups, probed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evenhand._random import numpy_stream
from evenhand._typing import Bools
from evenhand.audits.findings import Match, Probe, Slice
from evenhand.audits.inputs import Audited
from evenhand.audits.matching import match
from evenhand.audits.naming import beside_classes, name_errors, sentence
from evenhand.audits.probes import ProbedModel, known_attributes, probe, word_attributes
from evenhand.audits.slices import Sliced, assessed, slice_rows
from evenhand.audits.words import TextTower
from evenhand.data.table import FeatureTable
from evenhand.evaluation.result_row import group_names

PROBED = 4_000
"""Rows that are probed."""
WORDS = 3
"""Words of slices that are probed like attributes."""

Found = list[tuple[Slice, Bools]]
"""Slices with their members among the sliced rows."""


def find_slices(what: Audited, slices: int) -> tuple[Found, dict[tuple[str, str], Sliced]]:
    """Return the tested slices of every model, the surest first, and how each (model, method) deals rows."""
    predictions = {stage.name: stage.predicted for stage in what.stages}
    found: Found = []
    dealt: dict[tuple[str, str], Sliced] = {}
    for name, codes in predictions.items():
        sliced = slice_rows(what.rows, codes, slices)
        found += assessed(what.rows, sliced, predictions, name)
        dealt |= {(name, method): part for method, part in sliced.items()}
    return found, dealt


def with_words(
    what: Audited, found: Found, table: FeatureTable, tower: TextTower | None, seed: int
) -> list[Slice]:
    """Return the slices with the words of those beyond chance, and a sentence for each."""
    if tower is not None:
        z, words = (beside_classes(v, table.head.text) for v in (what.rows.z, tower.embedded))
    right = {stage.name: stage.right for stage in what.stages}
    named = []
    for one, members in found:
        if tower is not None and one.beyond_chance:
            of_class = right[one.model] & (what.rows.y == table.classes.index(one.label))
            errors = members & ~right[one.model]
            path = (one.model, one.name)
            known = tower.vocabulary.words
            one = one.model_copy(
                update={"words": name_errors(z, errors, of_class, known, words, seed, *path)}
            )
        named.append(one.model_copy(update={"sentence": sentence(one, named=tower is not None)}))
    return named


def matches(
    what: Audited, dealt: Mapping[tuple[str, str], Sliced], table: FeatureTable, column: str
) -> list[Match]:
    """Compare slices with the groups of an attribute, on the rows that test."""
    groups, names = (
        table.groups(column, what.rows.numbers),
        group_names(table.classes, table.attributes[column]),
    )
    compared = (
        match(model, method, part, what.rows.y, groups, names, ~what.rows.finds)
        for (model, method), part in dealt.items()
    )
    return [one for one in compared if one is not None]


def probed(
    what: Audited, table: FeatureTable, slices: Sequence[Slice], tower: TextTower | None, seed: int
) -> list[Probe]:
    """Probe the known attributes, and the surest words of the first model's slices."""
    n = len(what.rows.y)
    some = np.sort(numpy_stream(seed, "audit", "probes").permutation(n)[:PROBED])
    numbers, y, finds = what.rows.numbers[some], what.rows.y[some], what.rows.finds[some]
    marked = list(known_attributes({name: column[numbers] for name, column in table.attributes.items()}))
    if tower is not None:
        words = _leading_words(slices, what.stages[0].name)
        place = [tower.vocabulary.words.index(word) for word in words]
        z, vectors = (beside_classes(v, table.head.text) for v in (what.rows.z[some], tower.embedded[place]))
        marked += word_attributes(z, y, words, vectors)
    X = table.features(numbers)
    sides = [
        ProbedModel(
            stage.name,
            stage.model.embed(X),
            stage.model.prototypes,
            stage.model.intercept,
            stage.model.logit_scale,
        )
        for stage in what.stages
    ]
    found = (probe(one, sides, y, finds, seed) for one in marked)
    return [one for one in found if one is not None]


def _leading_words(slices: Sequence[Slice], model: str) -> list[str]:
    """Return the best word of each class's surest slice that has one, at most `WORDS`."""
    best: dict[str, str] = {}
    for one in slices:
        if one.model == model and one.words and one.words[0].beyond_chance:
            best.setdefault(one.label, one.words[0].word)
    return list(dict.fromkeys(best.values()))[:WORDS]
