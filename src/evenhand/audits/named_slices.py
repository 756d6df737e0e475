"""The slices of the audited models, found, tested, and named in words if there is a text tower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel

from evenhand._typing import Ints
from evenhand.audits.evaluate import EvaluatedModels
from evenhand.audits.findings import Slice
from evenhand.audits.naming import beside_classes, name_errors, sentence
from evenhand.audits.slices import SLICES, SliceAssignment, assess_slices, slice_rows
from evenhand.audits.text_tower import TextTower

Found = list[tuple[Slice, Ints]]
"""Slices with the places of their members among the sliced rows, the most typical first."""
Assignments = Mapping[tuple[str, str], SliceAssignment]
"""How each method assigns the sliced rows to slices of a model's errors, by model and method."""


class NamedSlices(BaseModel):
    """Slices, and how they came about.

    slices: of every audited model, the smallest p-value of each first. members: the places of the members of
    each among the sliced rows, the most typical first. words: where the vocabulary comes from, None without a
    words. notes: what the vocabulary leaves out. no_words: why there are no words; empty if there are
    some. nothing: why no slice is beyond chance; empty if one is.
    """

    slices: list[Slice]
    members: list[list[int]]
    words: str | None
    notes: tuple[str, ...]
    no_words: str
    nothing: str

    def sure(self, model: str | None = None) -> Found:
        """Return the slices beyond chance, of one model or of all, without repeats of the same rows."""
        return [
            (one, np.array(members, dtype=np.int64))
            for one, members in zip(self.slices, self.members, strict=True)
            if one.beyond_chance and one.same_as is None and model in (None, one.model)
        ]


def name_slices(
    models: EvaluatedModels, tower: TextTower | None, no_words: str, *, seed: int, slices: int = SLICES
) -> tuple[NamedSlices, Assignments]:
    """Find the slices of all audited models, and name those beyond chance.

    Parameters
    ----------
    models : EvaluatedModels
        The models with their predictions.
    tower : TextTower or None
        The text tower that names them.
    no_words : str
        Why there is none, or why its words say nothing; then no slice is named.
    seed : int
        Seed of the permutations behind the words.
    slices : int, default=5
        Slices per class and method.
    """
    found, assignments = _find(models, slices)
    nothing = "" if any(one.beyond_chance for one, _ in found) else _nothing_to_name(models)
    named = _with_words(models, found, None if no_words else tower, seed)
    made = NamedSlices(
        slices=named,
        members=[members.tolist() for _, members in found],
        words=None if no_words or tower is None else tower.vocabulary.source,
        notes=() if tower is None else tower.vocabulary.notes,
        no_words=no_words,
        nothing=nothing,
    )
    return made, assignments


def _find(models: EvaluatedModels, slices: int) -> tuple[Found, Assignments]:
    """Return the tested slices of every model, and how each (model, method) assigns rows."""
    predictions = {stage.name: stage.predicted for stage in models.audited}
    found: Found = []
    assignments: dict[tuple[str, str], SliceAssignment] = {}
    for name, codes in predictions.items():
        by_method = slice_rows(models.rows, codes, slices)
        found += assess_slices(models.rows, by_method, predictions, name)
        assignments |= {(name, method): assigned for method, assigned in by_method.items()}
    return found, assignments


def _with_words(models: EvaluatedModels, found: Found, tower: TextTower | None, seed: int) -> list[Slice]:
    """Return the slices with the words of those beyond chance, and a sentence for each."""
    if tower is not None:
        text = models.table.head.text
        z, embedded = beside_classes(models.rows.z, text), beside_classes(tower.embedded, text)
    right = {stage.name: stage.right for stage in models.audited}
    named = []
    for one, members in found:
        if tower is not None and one.beyond_chance:
            of_class = right[one.model] & (models.rows.y == models.table.classes.index(one.label))
            errors = np.isin(np.arange(len(z)), members) & ~right[one.model]
            words = name_errors(
                z, errors, of_class, tower.vocabulary.words, embedded, seed, one.model, one.name
            )
            one = one.model_copy(update={"words": words})
        named.append(one.model_copy(update={"sentence": sentence(one, named=tower is not None)}))
    return named


def _nothing_to_name(models: EvaluatedModels) -> str:
    if all(stage.right.all() for stage in models.audited):
        return f"there are no errors among {len(models.rows.y):,} rows"
    return "no slice has more errors than its class, beyond chance"


def leading_words(slices: Sequence[Slice], model: str, most: int) -> list[str]:
    """Return the best word of each class's first slice of a model that has one, at most `most`."""
    best: dict[str, str] = {}
    for one in slices:
        if one.model == model and one.words and one.words[0].beyond_chance:
            best.setdefault(one.label, one.words[0].word)
    return list(dict.fromkeys(best.values()))[:most]
