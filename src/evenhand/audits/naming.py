"""Slices named in words by the model's own text tower."""

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
TOP = 5
FEWEST = 5
"""Errors that a name needs."""


def beside_classes(vectors: Floats, text: Floats | None) -> Floats:
    """Return vectors [N, D] without their parts along the differences of class prototypes [C, D].

    An error *is* an image that fits another class's words better, so that those words and their kin would
    name every slice. What is left is what goes with the errors beside the classes. Where the classes span
    half of the space or more, nothing is taken away.
    """
    if text is None or 2 * (len(text) - 1) > text.shape[1]:
        return vectors
    basis = class_directions(torch.from_numpy(text)).numpy()
    beside: Floats = vectors - (vectors @ basis) @ basis.T
    return beside


def name_errors(
    z: Floats, errors: Bools, right: Bools, words: Sequence[str], embedded: Floats, seed: int, *path: str
) -> list[Word]:
    """Return the words that fit errors more than right rows, best first.

    Parameters
    ----------
    z : float32 [N, D]
        Embeddings beside the classes.
    errors, right : bool [N]
        The slice's errors, and the rows of its class that the model has right.
    words, embedded : sequence of V str, float32 [V, D]
        Vocabulary, and its embeddings beside the classes.
    seed, path
        Of the stream.

    Returns
    -------
    list of Word
        At most `TOP`; empty where either side has fewer than `FEWEST` rows.
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
    """Say what a slice is: `waterbird: errors look like *forest*, *bamboo*`.

    `named` tells whether words were looked for at all.
    """
    if not found.beyond_chance:
        return f"{found.label}: {found.errors} of {found.n} wrong, which may be chance"
    sure = [f"*{word.word}*" for word in found.words if word.beyond_chance]
    if sure:
        return f"{found.label}: errors look like {', '.join(sure[:3])}"
    taken = f", mostly taken for {found.predicted}" if found.predicted else ""
    unnamed = "; no word fits them beyond chance" if named else ""
    return f"{found.label}: {found.errors} of {found.n} wrong here{taken}{unnamed}"
