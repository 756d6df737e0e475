"""Words for the errors of a slice, by the model's own text tower."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from evenhand._random import numpy_stream
from evenhand._typing import Bools, Floats
from evenhand.audits.findings import Slice, Word
from evenhand.functional.directions import contrast
from evenhand.functional.geometry import class_directions

LEVEL = 0.05
"""Largest p-value of a word beyond chance."""
TOP = 5
"""Words of a slice."""
FEWEST = 5
"""Errors, and correctly classified rows, that a name needs."""


def beside_classes(vectors: Floats, text: Floats | None) -> Floats:
    """Return vectors [N, D] without their parts along the differences of class prototypes [C, D].

    An error *is* an image that fits another class's words better, so those words and similar ones would name
    every slice. The rest of the vector is what sets the errors apart within their class. If the classes span
    half of the space or more, the vectors stay as they are.
    """
    if text is None or 2 * (len(text) - 1) > text.shape[1]:
        return vectors
    basis = class_directions(torch.from_numpy(text)).numpy()
    beside: Floats = vectors - (vectors @ basis) @ basis.T
    return beside


def name_errors(
    z: Floats, errors: Bools, right: Bools, words: Sequence[str], embedded: Floats, seed: int, *path: str
) -> list[Word]:
    """Return the words that fit errors more than correctly classified rows, best first.

    Parameters
    ----------
    z : float32 [N, D]
        Embeddings without their parts along the classes, as `beside_classes` returns them.
    errors, right : bool [N]
        The slice's errors, and the rows of its class that the model classifies correctly.
    words : sequence of V str
        The vocabulary.
    embedded : float32 [V, D]
        Its embeddings, also without their parts along the classes.
    seed : int
        Seed of the permutations.
    path : str
        Names of the random stream.

    Returns
    -------
    list of Word
        At most `TOP`; empty if there are fewer than `FEWEST` rows of either kind.
    """
    both = errors | right
    if min(errors.sum(), right.sum()) < FEWEST or not len(words):
        return []
    d, p = contrast(z[both], embedded, errors[both], numpy_stream(seed, "words", *path))
    best = np.argsort(-d, kind="stable")[:TOP]
    return [
        Word(word=words[k], score=float(d[k]), p=float(p[k]), beyond_chance=bool(p[k] <= LEVEL)) for k in best
    ]


def sentence(found: Slice, *, named: bool) -> str:
    """Describe a slice: `waterbird: errors look like *forest*, *bamboo*`.

    Parameters
    ----------
    found : Slice
        The slice with its words.
    named : bool
        Whether there was a text tower to name it.
    """
    if not found.beyond_chance:
        return f"{found.label}: {found.errors} of {found.n} wrong, which may be chance"
    sure = [f"*{word.word}*" for word in found.words if word.beyond_chance]
    if sure:
        return f"{found.label}: errors look like {', '.join(sure[:3])}"
    taken = f", mostly predicted as {found.predicted}" if found.predicted else ""
    unnamed = "; no word fits them beyond chance" if named else ""
    return f"{found.label}: {found.errors} of {found.n} wrong here{taken}{unnamed}"
